import {
  MinedBlocks,
  NetworkFees,
  RpcClient,
  TransactionManager,
  createKeySigner,
  replayRevert,
  type Abi,
  type SendRequest,
  type Signer,
  type TransactionManagerOptions,
  type TransactionRecord,
} from '#evm';
import type { Store } from '#platform';
import { Secret } from '#sdk';
import { openTestStore } from '../../../test/environment/postgres.js';
import { DevChain, artefact, devAccounts } from '../../evm/testing/dev-chain.js';
import { FaultProxy } from '../../evm/testing/fault-proxy.js';
import { silent } from '../../evm/testing/heard-logs.js';
import { localLeases, localSignals } from '../../evm/testing/manager-parts.js';
import { KyselyTransactionStore } from '../transactions.store.js';

const abi = artefact('DemoToken').abi as Abi;

/** Managers that send over a real database to a real chain, or to one that misbehaves, and what came of it. */
export class SendingStage {
  #mints = 0;
  readonly #open: TransactionManager[] = [];

  private constructor(
    readonly chain: DevChain,
    readonly proxy: FaultProxy,
    readonly database: Store,
    readonly store: KyselyTransactionStore,
    readonly signer: Signer,
  ) {}

  static async start(): Promise<SendingStage> {
    const [chain, database] = await Promise.all([DevChain.start(), openTestStore()]);
    return new SendingStage(
      chain,
      await FaultProxy.start(chain.url),
      database,
      new KyselyTransactionStore(database.db),
      await createKeySigner('treasury', new Secret(devAccounts[0].key)),
    );
  }

  /** From here on `aMint` gives another one, with a key and a recipient of its own. */
  nextMint(): void {
    this.#mints += 1;
  }

  /** Ends the managers, and lets the node behave again. */
  async clear(): Promise<void> {
    this.proxy.fault = undefined;
    await Promise.all(this.#open.splice(0).map((manager) => manager.close()));
    await this.chain.call('evm_setAutomine', [true]);
  }

  async close(): Promise<void> {
    await this.proxy.stop();
    await this.chain.stop();
    await this.database.close();
  }

  /** One that accepts and sends, unless it is told to accept only. */
  aManager(
    options: Partial<TransactionManagerOptions> = {},
    { url = this.chain.url, isSending = true }: { url?: string; isSending?: boolean } = {},
  ): TransactionManager {
    const rpc = new RpcClient({ urls: [url], chainId: DevChain.chainId, timeoutMs: 5_000 });
    const blocks = new MinedBlocks({ rpc, log: silent, pollMs: 10 });
    const manager = new TransactionManager({
      rpc,
      blocks,
      store: this.store,
      signers: { get: () => Promise.resolve(this.signer) },
      signals: localSignals(),
      leases: localLeases(),
      fees: new NetworkFees(rpc),
      log: silent,
      explain: (record, blockNumber) => replayRevert(rpc, { ...record, blockNumber }, abi),
      window: 64,
      resendAfterMs: 300,
      ...options,
    });
    if (isSending) manager.start();
    this.#open.push(manager);
    return manager;
  }

  /** A mint to an address of its own, whose balance then shows how often it was done. */
  aMint(overrides: Partial<SendRequest> = {}): SendRequest {
    return {
      idempotencyKey: this.key(),
      signer: 'treasury',
      to: this.chain.token,
      data: `0x40c10f19${this.recipient.slice(2).padStart(64, '0')}${'1'.padStart(64, '0')}`,
      value: 0n,
      finality: 0,
      abi,
      ...overrides,
    };
  }

  /** The key of the mint of this spec; say of what, if it sends several. */
  key(of = 'key'): string {
    return `${of}-${String(this.#mints)}`;
  }

  get recipient(): string {
    return `0x${(0xbeef_0000 + this.#mints).toString(16).padStart(40, '0')}`;
  }

  async balance(): Promise<number> {
    return Number(
      await this.chain.call('eth_call', [
        { to: this.chain.token, data: `0x70a08231${this.recipient.slice(2).padStart(64, '0')}` },
        'latest',
      ]),
    );
  }

  /** How many the signer has used. */
  async nonces(): Promise<number> {
    return Number(await this.chain.call('eth_getTransactionCount', [devAccounts[0].address, 'latest']));
  }

  async sendAndWait(manager: TransactionManager, request: SendRequest): Promise<TransactionRecord> {
    const { id } = await manager.submit(request);
    return await manager.waitFor(id, 'final', soon());
  }

  async statuses(id: string): Promise<string[]> {
    const rows = await this.database.db
      .selectFrom('chain_transaction_status')
      .select('status')
      .where('transaction_id', '=', id)
      .orderBy('seq')
      .execute();
    return rows.map(({ status }) => status);
  }

  /** Those that its history tells, in their order. */
  async reasons(id: string): Promise<unknown[]> {
    const rows = await this.database.db
      .selectFrom('chain_transaction_status')
      .select('detail')
      .where('transaction_id', '=', id)
      .orderBy('seq')
      .execute();
    return rows.flatMap(({ detail }) => (detail as { reason?: unknown } | null)?.reason ?? []);
  }

  async stored(id: string): Promise<TransactionRecord> {
    const [record] = await this.store.find([id]);
    if (!record) throw new Error('it is not stored');
    return record;
  }
}

export const soon = () => ({ withinMs: 30_000, signal: new AbortController().signal });
