import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAddress, decodeOutputs, encodeCall, getFragment, type Abi } from '#evm';
import { PatchbayError, syncLedger, type ConnectorDefinition, type SyncLedger, type UseService } from '#sdk';
import { builtInConnectors } from '../../connectors/index.js';
import type { SalesforceClient } from '../../connectors/salesforce/salesforce.client.js';
import { DevChain, artefact, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { eventually } from './eventually.js';
import { LocalHub, type HubAnswer } from './local-hub.js';
import { overlaid } from './overlaid.js';
import { withQuickStream } from './salesforce-hub.js';
import { startSalesforce, type SalesforceOrg } from './salesforce-org.js';

export const registryAbi = artefact('MemberRegistry').abi as Abi;

export const memberFields = {
  Wallet__c: { type: 'string', length: 42, externalId: true, unique: true },
  Tier__c: { type: 'string', length: 40 },
  Points__c: { type: 'double', precision: 18, scale: 2 },
  PointsWei__c: { type: 'string', length: 78 },
  Removed__c: { type: 'boolean' },
} as const;

/** What becomes of payments: each of them is one event. */
const paymentFields = {
  Event__c: { type: 'string', length: 100, externalId: true, unique: true },
  To__c: { type: 'string', length: 42 },
  Amount__c: { type: 'double', precision: 18, scale: 2 },
  AmountExact__c: { type: 'string', length: 78 },
  Reverted__c: { type: 'boolean' },
} as const;

export const memberBalances = `
sync: member-balances
salesforce: { object: Member__c, key: Wallet__c }
chain:
  network: local
  contract: member-registry
  events: [MemberSet, MemberRemoved]
  key: member
  read: memberOf
  exists: active
  write: setMember
  remove: removeMember
  from: clerk
fields:
  - { salesforce: Name, chain: name, conflict: newest }
  - { salesforce: Tier__c, chain: tier, conflict: salesforce }
  - { salesforce: Points__c, chain: points, direction: toSalesforce, decimals: 18, exact: PointsWei__c }
deletes: { onChain: mark, mark: Removed__c, inSalesforce: remove }
`;

/** The address of a member of that number. */
export function wallet(index: number): string {
  return `0x${index.toString(16).padStart(40, 'a')}`;
}

export interface Member {
  readonly name: string;
  readonly tier: string;
  readonly points: string;
  readonly active: boolean;
}

export interface SyncPassAnswer {
  readonly kind: string;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  readonly agreed: number;
  readonly differing: number;
  readonly repaired: number;
  readonly failed: number;
  readonly startedAt: string;
}

export interface SyncAnswer {
  readonly name: string;
  readonly flows: readonly string[];
  readonly faults: readonly { readonly detail: string; readonly line?: number; readonly fix?: string }[];
  readonly counts: Readonly<Record<'rows' | 'agreed' | 'differing' | 'failed' | 'open', number>>;
  readonly pass: SyncPassAnswer | null;
  readonly rows: readonly { readonly key: string; readonly state: string; readonly error: unknown }[];
}

/** A member registry on a real chain, and an org with records of its members. */
export class SyncSides {
  private constructor(
    readonly chain: DevChain,
    readonly salesforce: SalesforceOrg,
    readonly registry: string,
  ) {}

  static async start(): Promise<SyncSides> {
    const [chain, salesforce] = await Promise.all([
      DevChain.start(),
      startSalesforce({ customFields: { Member__c: memberFields, Payment__c: paymentFields }, isStrict: true }),
    ]);
    const nonce = Number(await chain.call('eth_getTransactionCount', [devAccounts[0].address, 'latest']));
    const registry = createAddress(devAccounts[0].address, nonce);
    await chain.deploy('MemberRegistry');
    const sides = new SyncSides(chain, salesforce, registry);
    await sides.onChain('setEditor', [devAccounts[1].address, true]);
    return sides;
  }

  /** As another party of the contract would. */
  onChain(name: string, args: readonly unknown[]): Promise<string> {
    const data = encodeCall(getFragment(registryAbi, 'function', name), args);
    return this.chain.send({ to: this.registry, data, gas: '0x7a120' });
  }

  async member(key: string): Promise<Member> {
    const read = getFragment(registryAbi, 'function', 'memberOf');
    const answer = await this.chain.call<string>('eth_call', [
      { to: this.registry, data: encodeCall(read, [key]) },
      'latest',
    ]);
    return decodeOutputs(read, answer) as unknown as Member;
  }

  records(): readonly Readonly<Record<string, unknown>>[] {
    return this.salesforce.org.state().records['Member__c'] ?? [];
  }

  record(key: string): Readonly<Record<string, unknown>> | undefined {
    return this.records().find((row) => String(row['Wallet__c']).toLowerCase() === key);
  }

  payments(): readonly Readonly<Record<string, unknown>>[] {
    return this.salesforce.org.state().records['Payment__c'] ?? [];
  }

  /** Writes that came over the API. */
  get writes(): number {
    return this.#writeCalls().length;
  }

  /** Rows of these writes, which travel together. */
  get rowsWritten(): number {
    const rows = this.#writeCalls().map(({ body }) => {
      const { records } = (body === '' ? {} : JSON.parse(body)) as { readonly records?: readonly unknown[] };
      return records?.length ?? 1;
    });
    return rows.reduce((total, count) => total + count, 0);
  }

  #writeCalls() {
    const { calls } = this.salesforce.org.state();
    return calls.filter(({ method, url }) => method !== 'GET' && /\/sobjects|\/composite/.test(url));
  }

  /** The configuration of a hub between the two. */
  hubSettings(book: string) {
    return {
      networks: {
        local: {
          rpcUrl: this.chain.url,
          chainId: DevChain.chainId,
          confirmations: 0,
          revertedAfter: 2,
          addressBook: book,
        },
      },
      signers: { clerk: { privateKey: devAccounts[1].key } },
      connections: { salesforce: { connector: 'salesforce', ...this.salesforce.settings } },
    };
  }

  /** Writes an address book that has the contract. */
  async writeBook(path: string): Promise<void> {
    await writeFile(path, `contracts: { member-registry: { address: '${this.registry}', abi: MemberRegistry } }\n`);
  }

  /** Transactions of the hub. */
  async transactions(): Promise<number> {
    return Number(await this.chain.call('eth_getTransactionCount', [devAccounts[1].address, 'latest']));
  }

  async stop(): Promise<void> {
    await this.salesforce.stop();
    await this.chain.stop();
  }
}

/** A whole hub in this process between the two sides; it can be stopped and started again. */
export class SyncHub {
  private constructor(private readonly hub: LocalHub) {}

  /** @param dies – asked at each place where a process could end while it syncs a record */
  static async start(
    sides: SyncSides,
    files: Readonly<Record<string, string>>,
    dies?: () => boolean,
  ): Promise<SyncHub> {
    const hub = await LocalHub.create({
      connectors: builtInConnectors.map((connector) => mortal(withQuickStream(connector), dies)),
    });
    const book = join(hub.folder, 'local.yaml');
    await sides.writeBook(book);
    await hub.writeConfiguration(JSON.stringify(sides.hubSettings(book)));
    await hub.writeFlows(files);
    await hub.boot();
    return new SyncHub(hub);
  }

  writeFile(name: string, text: string): Promise<void> {
    return this.hub.writeFlows({ [name]: text });
  }

  boot(): Promise<void> {
    return this.hub.boot();
  }

  halt(): Promise<void> {
    return this.hub.halt();
  }

  reload(): Promise<void> {
    return this.hub.flows.reload();
  }

  async get<T>(path: string): Promise<T> {
    return bodyOf<T>(await this.hub.ask('GET', path));
  }

  async post<T>(path: string): Promise<T> {
    return bodyOf<T>(await this.hub.ask('POST', path, {}));
  }

  sync(name: string): Promise<SyncAnswer> {
    return this.get(`/api/syncs/${name}`);
  }

  /** Resolves once a sync has looked at everything once. */
  async untilBackfilled(name: string): Promise<SyncPassAnswer> {
    return eventually(
      async () => {
        const { pass } = await this.sync(name);
        return pass?.state === 'finished' ? pass : undefined;
      },
      { withinMs: 60_000, what: 'The backfill' },
    );
  }

  /** Resolves once nothing is left to do. */
  async untilQuiet(): Promise<void> {
    await eventually(
      async () => {
        const { items } = await this.get<{ items: readonly { readonly state: string }[] }>('/api/runs?limit=200');
        return items.every(({ state }) => state !== 'queued' && state !== 'running');
      },
      { withinMs: 60_000, what: 'The end of all runs' },
    );
  }

  close(): Promise<void> {
    return this.hub.close();
  }
}

function bodyOf<T>({ status, body }: HubAnswer): T {
  if (status >= 400) throw new Error(`${String(status)} ${JSON.stringify(body)}`);
  return body as T;
}

/** Lets syncRecord die where it is told to: nothing of what it would have done afterwards is done. */
function mortal(connector: ConnectorDefinition, dies: (() => boolean) | undefined): ConnectorDefinition {
  const { syncRecord } = connector.actions;
  if (connector.name !== 'salesforce' || syncRecord === undefined || dies === undefined) return connector;
  const run: typeof syncRecord.run = (context) => {
    const { client, use } = context as { readonly client: SalesforceClient; readonly use: UseService };
    let isDead = false;
    const died = () => new PatchbayError('hub.busy', { detail: 'The process died', retryAfterMs: 20 });
    /** Dies before or after the call, or lets it be. */
    const risky =
      <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
      async (...args: Args): Promise<Answer> => {
        if (isDead || (isDead = dies())) throw died();
        const answer = await call(...args);
        if ((isDead = dies())) throw died();
        return answer;
      };
    const ledger = use(syncLedger);
    const riskyLedger: SyncLedger = overlaid(ledger, {
      intend: risky((...args: Parameters<SyncLedger['intend']>) => ledger.intend(...args)),
      settle: risky((...args: Parameters<SyncLedger['settle']>) => ledger.settle(...args)),
      release: (...args) => (isDead ? Promise.resolve() : ledger.release(...args)),
    });
    const riskyClient = overlaid(client, {
      write: risky((...args: Parameters<SalesforceClient['write']>) => client.write(...args)),
      update: risky((...args: Parameters<SalesforceClient['update']>) => client.update(...args)),
    });
    const lend: UseService = (token) =>
      token.name === syncLedger.name ? (riskyLedger as ReturnType<typeof use<never>>) : use(token);
    return syncRecord.run({ ...context, client: riskyClient, use: lend }) as Promise<unknown>;
  };
  return { ...connector, actions: { ...connector.actions, syncRecord: { ...syncRecord, run } } };
}
