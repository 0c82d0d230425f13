import type { Fault, HttpClient, Logger, UseService } from '#sdk';
import { AddressBook } from './address-book.js';
import { blockMemory } from './block-window.js';
import { contractDirectory, interfaceDirectory, type InterfaceDirectory } from './contract-directory.js';
import type { FeeSettings } from './fees.js';
import { LogWatcher, openedAnew } from './log-watcher.js';
import { MinedBlocks } from './mined-blocks.js';
import { NetworkFees } from './network-fees.js';
import { replayRevert } from './replay-revert.js';
import type { RevertReason } from './revert-reason.js';
import { RpcClient } from './rpc-client.js';
import { shortfallOf } from './shortfall.js';
import { signerSource } from './signer.js';
import type { Finality } from './subscription.js';
import { TransactionManager } from './transaction-manager.js';
import { senderLeases, transactionSignals, transactionStore, type TransactionRecord } from './transaction-store.js';

export interface NetworkSettings {
  readonly name: string;
  readonly rpcUrls: readonly string[];
  readonly wsUrl: string | undefined;
  readonly chainId: number;
  readonly confirmations: number | undefined;
  /** What flows that move value wait for. Undefined: the chain's own word for final. */
  readonly finality?: Finality | undefined;
  readonly revertedAfter: number | undefined;
  readonly addressBook: string | undefined;
  readonly blockTimeMs: number | undefined;
  readonly transactions?: SendingSettings | undefined;
  readonly fees?: FeeSettings | undefined;
  /** Calls to each node. */
  readonly requestsPerSecond?: number | undefined;
}

export interface SendingSettings {
  /** Transactions of one signer that may be on their way at once. */
  readonly window?: number | undefined;
  /** Transactions of one signer per second at most. */
  readonly perSecond?: number | undefined;
}

/** Chains of one developer, whose blocks come when a transaction comes and are never replaced by others. */
const developmentChains = new Set([1_337, 31_337]);
const usualConfirmations = 12;
const developmentPollMs = 40;
const developmentResendMs = 5_000;
/** As many as Geth keeps of one account for sure. */
const usualWindow = 64;
const developmentWindow = 4_096;

/** One network: everything that its triggers and actions share. */
export class Network {
  readonly name: string;
  readonly chainId: number;
  readonly rpc: RpcClient;
  readonly addressBook: AddressBook;
  readonly finality: number;
  readonly fees: FeeSettings;
  readonly #settings: NetworkSettings;
  readonly #http: HttpClient;
  readonly #log: Logger;
  readonly #use: UseService;
  #watcher: LogWatcher | undefined;
  #manager: TransactionManager | undefined;
  #blocks: MinedBlocks | undefined;
  #isClosed = false;

  constructor(settings: NetworkSettings, context: { http: HttpClient; log: Logger; use: UseService }) {
    this.#settings = settings;
    this.#http = context.http;
    this.#log = context.log;
    this.#use = context.use;
    this.name = settings.name;
    this.chainId = settings.chainId;
    this.fees = settings.fees ?? {};
    this.finality = settings.confirmations ?? (this.isDevelopment ? 0 : usualConfirmations);
    const { rpcUrls: urls, chainId, requestsPerSecond } = settings;
    this.rpc = new RpcClient({ urls, chainId, requestsPerSecond, agents: context.http.agents });
    this.addressBook = new AddressBook({
      file: settings.addressBook ?? `contracts/addresses/${settings.name}.yaml`,
      findElsewhere: (nameOrAddress) => this.#use(contractDirectory).find(settings.name, nameOrAddress),
      namesElsewhere: () => this.#use(contractDirectory).names(settings.name),
    });
  }

  /** Begins to follow the chain with its first subscription and stops with its last. @throws connection.refused once it was closed */
  get watcher(): LogWatcher {
    if (this.#isClosed) throw openedAnew();
    const { wsUrl, blockTimeMs, revertedAfter } = this.#settings;
    this.#watcher ??= new LogWatcher({
      rpc: this.rpc,
      log: this.#log,
      memory: this.#use(blockMemory),
      agents: this.#http.agents,
      revertedAfter: revertedAfter ?? Math.max(this.finality, usualConfirmations),
      ...(wsUrl === undefined ? {} : { wsUrl }),
      ...(blockTimeMs === undefined ? {} : { blockTimeMs }),
      ...(this.isDevelopment ? { pollMs: developmentPollMs } : {}),
    });
    return this.#watcher;
  }

  /** Accepts transactions; whether this process also sends them, `startSending` decides. */
  get transactions(): TransactionManager {
    this.#manager ??= this.#openManager();
    return this.#manager;
  }

  /**
   * From now on this process sends what any process accepts, and goes on with what an earlier one left unfinished.
   *
   * @throws connection.refused once it was closed: it would keep the right to send from the one that has the new settings
   */
  startSending(): void {
    if (this.#isClosed) throw openedAnew();
    this.transactions.start();
  }

  /** What the hub can deploy. */
  get interfaces(): InterfaceDirectory {
    return this.#use(interfaceDirectory);
  }

  /** Of one who asks for this much, or for nothing; whoever moves value and asks for nothing waits until it is final. */
  finalityOf(confirmations: Finality | undefined, { movesValue = false } = {}): Finality {
    return confirmations ?? (movesValue ? this.#final : this.finality);
  }

  /** Why whoever moves value and asks for this much acts on what this network may take back. */
  shortfall(confirmations: Finality): Fault | undefined {
    return shortfallOf(confirmations, this.#final);
  }

  get #final(): Finality {
    return this.#settings.finality ?? (this.isDevelopment ? this.finality : 'finalized');
  }

  /** For good: who still has it asks for the network again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#manager?.close();
    await this.#blocks?.close();
    await this.#watcher?.close();
  }

  get isDevelopment(): boolean {
    return developmentChains.has(this.#settings.chainId);
  }

  #openManager(): TransactionManager {
    const { rpc } = this;
    const { transactions = {}, blockTimeMs } = this.#settings;
    const pollMs = this.isDevelopment ? developmentPollMs : Math.min(2_000, (blockTimeMs ?? 4_000) / 4);
    this.#blocks = new MinedBlocks({ rpc, log: this.#log, pollMs });
    return new TransactionManager({
      rpc,
      store: this.#use(transactionStore),
      signers: this.#use(signerSource),
      signals: this.#use(transactionSignals),
      leases: this.#use(senderLeases),
      fees: new NetworkFees(rpc, this.fees),
      blocks: this.#blocks,
      log: this.#log,
      explain: (record, blockNumber) => this.#explain(record, blockNumber),
      window: transactions.window ?? (this.isDevelopment ? developmentWindow : usualWindow),
      perSecond: transactions.perSecond,
      ...(this.isDevelopment ? { resendAfterMs: developmentResendMs } : {}),
    });
  }

  /** With the contract's own words where its ABI is known. */
  async #explain(record: TransactionRecord, blockNumber: number): Promise<RevertReason | undefined> {
    const contract =
      record.to === undefined ? undefined : await this.#use(contractDirectory).find(this.name, record.to);
    return await replayRevert(this.rpc, { ...record, blockNumber }, contract?.abi ?? []);
  }
}
