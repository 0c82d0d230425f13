import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClockChange } from './clock.js';
import { control } from './control.js';
import { readRawBody, singleHeaders, type Exchange, type ReceivedCall } from './exchange.js';
import type { Fault } from './faults.js';
import { FrontDoor } from './front-door.js';
import { OrgParts } from './org-parts.js';
import { sandboxSeed, type SalesforceStandIn, type SalesforceStandInOptions, type SalesforceState } from './options.js';
import { Snapshot } from './snapshot.js';
import { checkPushTopic } from './push-topics.js';
import type { SaveRule } from './save-rules.js';
import type { Row } from './soql-rows.js';

const callsKept = 1_000;
// Changes made in the pages of Salesforce carry this origin.
const person = { name: 'admin@patchbay.example', changeOrigin: 'com/salesforce/api/soap/62.0;client=SfdcInternalAPI/' };

/** A server that plays one Salesforce org: OAuth, REST, Bulk and Streaming API, in memory. */
export function createSalesforceStandIn(options: SalesforceStandInOptions = {}): SalesforceStandIn {
  return new StandIn(options);
}

class StandIn implements SalesforceStandIn {
  readonly #basePath: string;
  readonly #parts: OrgParts;
  readonly #door: FrontDoor;
  readonly #snapshot: Snapshot | undefined;
  readonly #calls: ReceivedCall[] = [];
  readonly #servers = new Set<Server>();

  constructor(options: SalesforceStandInOptions) {
    this.#basePath = (options.basePath ?? '').replace(/\/$/, '');
    this.#snapshot = options.snapshotFile === undefined ? undefined : new Snapshot(options.snapshotFile);
    const kept = this.#snapshot?.read();
    this.#parts = new OrgParts(options, kept?.orgId, () => this.#keep());
    this.#door = new FrontDoor(this.#parts, this.#basePath, options);
    if (kept === undefined) {
      // What the sandbox begins with uses fields that a strict org would have to declare.
      const seed = options.seed ?? (options.isStrict === true ? [] : sandboxSeed);
      for (const { object, fields } of seed) this.create(object, fields);
      return;
    }
    this.#parts.records.import(kept.records);
    this.#parts.bus.import(kept.events);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else this.#door.refuse(response, error);
    });
  }

  async listen(port = 0): Promise<{ readonly url: string; close(): Promise<void> }> {
    const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => this.handle(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    this.#servers.add(server);
    // A TCP server has an address object.
    const { port: taken } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${taken}${this.#basePath}`,
      close: async () => {
        this.#servers.delete(server);
        await closeServer(server);
      },
    };
  }

  addFault(fault: Fault): void {
    this.#parts.faults.add(fault);
  }

  addRule(rule: SaveRule): void {
    this.#parts.rules.add(rule);
  }

  clearRules(): void {
    this.#parts.rules.clear();
  }

  setClock(change: ClockChange): void {
    this.#parts.clock.change(change);
  }

  now(): Date {
    return this.#parts.clock.now();
  }

  state(): SalesforceState {
    const { records, sessions, bayeux, faults, rules, usage, orgId } = this.#parts;
    return {
      orgId,
      records: Object.fromEntries(records.schema.list().map(({ name }) => [name, records.list(name)])),
      calls: this.#calls,
      tokensIssued: sessions.issued,
      openSessions: sessions.open,
      refreshTokens: sessions.refreshTokens,
      apiUsage: { used: usage.used, limit: usage.limit },
      eventsDelivered: bayeux.delivered,
      rules: rules.list(),
      streamingClients: bayeux.clients,
      waitingFaults: faults.list(),
    };
  }

  create(object: string, fields: Row): string {
    const { records } = this.#parts;
    const row = records.transaction(() => {
      const created = records.create(object, fields, this.#person());
      if (object === 'PushTopic') checkPushTopic(created, records);
      return created;
    });
    return String(row['Id']);
  }

  update(object: string, id: string, fields: Row): void {
    this.#parts.records.update(object, id, fields, this.#person());
  }

  delete(object: string, id: string): void {
    this.#parts.records.delete(object, id, this.#person());
  }

  undelete(object: string, id: string): void {
    this.#parts.records.undelete(object, id, this.#person());
  }

  transaction(work: () => void): void {
    this.#parts.records.transaction(work);
  }

  publish(event: string, fields: Row): void {
    const { records, platformEvents } = this.#parts;
    platformEvents.publish(records.object(event), fields, this.#person().userId);
    this.#keep();
  }

  events(channel: string) {
    return this.#parts.bus.kept(channel);
  }

  async close(): Promise<void> {
    this.#parts.close();
    await Promise.all([...this.#servers].map(closeServer));
    this.#servers.clear();
    this.#snapshot?.flush();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const path = url.pathname.startsWith(`${this.#basePath}/`)
      ? url.pathname.slice(this.#basePath.length)
      : url.pathname;
    const rawBody = await readRawBody(request);
    const body = rawBody.toString('utf8');
    const method = request.method ?? 'GET';
    const exchange: Exchange = { request, response, method, path, query: url.searchParams, body, rawBody };
    const told = path.startsWith('/_') ? control(this, exchange) : undefined;
    if (told !== undefined) return this.#door.send(response, 200, told.body);
    const call = this.#remember(request, body);
    response.once('finish', () => (call.status = response.statusCode));
    await this.#door.answer(exchange);
  }

  #person() {
    return { userId: this.#parts.userId(person.name), changeOrigin: person.changeOrigin };
  }

  #remember(request: IncomingMessage, body: string): ReceivedCall {
    const { authorization: _, ...headers } = singleHeaders(request);
    const call = {
      at: this.now().toISOString(),
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers,
      body: withoutSecrets(body),
    };
    this.#calls.push(call);
    if (this.#calls.length > callsKept) this.#calls.shift();
    return call;
  }

  #keep(): void {
    const { orgId, records, bus } = this.#parts;
    this.#snapshot?.save(() => ({ orgId, records: records.export(), events: bus.export() }));
  }
}

function withoutSecrets(body: string): string {
  return body
    .replace(/\b(client_secret|assertion|password|refresh_token|code|code_verifier|token)=[^&]*/g, '$1=***')
    .replace(/(sessionId>)[^<]*/g, '$1***');
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
