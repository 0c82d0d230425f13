import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../../test/builders/eventually.js';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { IftttStandIn } from './ifttt.js';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown>;
}

/** A service that has what it is given, and answers as told. */
class AService {
  readonly calls: Call[] = [];
  items: object[] = [];
  status = 200;
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      this.calls.push({ method, path, headers, body: JSON.parse(Buffer.concat(chunks).toString() || '{}') });
      response.writeHead(this.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ data: this.items }));
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const item = (id: string) => ({ amount: id, meta: { id, timestamp: 1_700_000_000 } });

let service: AService;
let ifttt: IftttStandIn;
let server: StandInServer;

beforeEach(async () => {
  service = new AService();
  ifttt = new IftttStandIn({ makerKey: 'maker', serviceKey: 'key', retryAfterMs: [1, 1] });
  server = await startStandIn(ifttt);
  ifttt.connect(await service.start());
});

afterEach(async () => {
  ifttt.stop();
  await server.stop();
  await service.stop();
});

const notify = (data: unknown, key = 'key') =>
  fetch(`${server.url}/v1/notifications`, {
    method: 'POST',
    headers: { 'ifttt-service-key': key, 'content-type': 'application/json' },
    body: JSON.stringify({ data }),
  });

describe('the stand-in of IFTTT', () => {
  it('given an Applet, when there is news, then it polls as IFTTT does and fires once for each id', async () => {
    service.items = [item('old')];
    const applet = await ifttt.applets.switchOn({ trigger: 'whale_alert', fields: { a: 'b' } });
    service.items = [item('2'), item('1'), item('old')];
    await notify([{ trigger_identity: applet.identity }, { trigger_identity: 'of somebody else' }]);
    await eventually(() => ifttt.applets.list()[0]?.fired.length === 2);
    await ifttt.applets.pollAll('clock');

    expect(ifttt.applets.list()[0]?.fired.map(({ id, because }) => [id, because])).toEqual([
      ['1', 'realtime'],
      ['2', 'realtime'],
    ]);
    expect(service.calls[1]).toMatchObject({
      path: '/ifttt/v1/triggers/whale_alert',
      headers: { 'x-ifttt-realtime': '1', 'ifttt-service-key': 'key', 'ifttt-channel-key': 'key' },
      body: { trigger_identity: applet.identity, triggerFields: { a: 'b' }, limit: 50 },
    });
  });

  it('given two Applets with equal fields, when they are switched off, then the identity is deleted with the last', async () => {
    const [one, two] = [await ifttt.applets.switchOn({ trigger: 't' }), await ifttt.applets.switchOn({ trigger: 't' })];
    await ifttt.applets.switchOff(one.id);
    await ifttt.applets.switchOff(two.id);

    const deleted = service.calls.filter(({ method }) => method === 'DELETE');
    expect(deleted).toMatchObject([{ path: `/ifttt/v1/triggers/t/trigger_identity/${one.identity}` }]);
  });

  it('given a service that fails, when an action is done, then it is tried again; what is refused is dropped', async () => {
    service.status = 500;
    expect(await ifttt.applets.act('a', {})).toMatchObject({ status: 500, attempts: 3 });
    service.status = 400;
    expect(await ifttt.applets.act('a', {})).toMatchObject({ status: 400, attempts: 1 });
  });

  it('given a wrong key, too many entries or none, when it is notified, then it refuses', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => ({ trigger_identity: String(index) }));

    expect((await notify([], 'wrong')).status).toBe(401);
    expect((await notify(many)).status).toBe(400);
    expect((await notify('x')).status).toBe(400);
    expect((await notify([{ user_id: 1 }])).status).toBe(400);
    expect(ifttt.notifications).toEqual([]);
  });
});
