import type { HttpClient, Logger, UseService } from '#sdk';
import { AddressBook } from './address-book.js';
import { blockMemory } from './block-window.js';
import { contractDirectory, interfaceDirectory, type InterfaceDirectory } from './contract-directory.js';
import { LogWatcher } from './log-watcher.js';
import { RpcClient } from './rpc-client.js';
import { signerSource } from './signer.js';
import type { Finality } from './subscription.js';
import { TransactionSender } from './transaction-sender.js';
import { transactionStore } from './transaction-store.js';

export interface NetworkSettings {
  readonly name: string;
  readonly rpcUrls: readonly string[];
  readonly wsUrl: string | undefined;
  readonly chainId: number;
  readonly confirmations: number | undefined;
  readonly revertedAfter: number | undefined;
  readonly addressBook: string | undefined;
  readonly blockTimeMs: number | undefined;
}

/** Chains of one developer, whose blocks come when a transaction comes and are never replaced by others. */
const developmentChains = new Set([1_337, 31_337]);
const usualConfirmations = 12;
const developmentPollMs = 40;
/** Between looks at transactions that nobody waits for at the moment. */
const sweepMs = 5_000;

/** One network: everything that its triggers and actions share. */
export class Network {
  readonly name: string;
  readonly chainId: number;
  readonly rpc: RpcClient;
  readonly addressBook: AddressBook;
  readonly finality: number;
  readonly #settings: NetworkSettings;
  readonly #http: HttpClient;
  readonly #log: Logger;
  readonly #use: UseService;
  #watcher: LogWatcher | undefined;
  #sender: TransactionSender | undefined;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(settings: NetworkSettings, context: { http: HttpClient; log: Logger; use: UseService }) {
    this.#settings = settings;
    this.#http = context.http;
    this.#log = context.log;
    this.#use = context.use;
    this.name = settings.name;
    this.chainId = settings.chainId;
    this.finality = settings.confirmations ?? (this.#isDevelopment ? 0 : usualConfirmations);
    this.rpc = new RpcClient({ urls: settings.rpcUrls, chainId: settings.chainId, agents: context.http.agents });
    this.addressBook = new AddressBook({
      file: settings.addressBook ?? `contracts/addresses/${settings.name}.yaml`,
      findElsewhere: (nameOrAddress) => this.#use(contractDirectory).find(settings.name, nameOrAddress),
    });
  }

  /** Begins to follow the chain with its first subscription and stops with its last. */
  get watcher(): LogWatcher {
    const { wsUrl, blockTimeMs, revertedAfter } = this.#settings;
    this.#watcher ??= new LogWatcher({
      rpc: this.rpc,
      log: this.#log,
      memory: this.#use(blockMemory),
      agents: this.#http.agents,
      revertedAfter: revertedAfter ?? Math.max(this.finality, usualConfirmations),
      ...(wsUrl === undefined ? {} : { wsUrl }),
      ...(blockTimeMs === undefined ? {} : { blockTimeMs }),
      ...(this.#isDevelopment ? { pollMs: developmentPollMs } : {}),
    });
    return this.#watcher;
  }

  get sender(): TransactionSender {
    this.#sender ??= this.#openSender();
    return this.#sender;
  }

  /** What the hub can deploy. */
  get interfaces(): InterfaceDirectory {
    return this.#use(interfaceDirectory);
  }

  finalityOf(confirmations: Finality | undefined): Finality {
    return confirmations ?? this.finality;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#watcher?.close();
  }

  get #isDevelopment(): boolean {
    return developmentChains.has(this.#settings.chainId);
  }

  #openSender(): TransactionSender {
    const sender = new TransactionSender({
      rpc: this.rpc,
      store: this.#use(transactionStore),
      signers: this.#use(signerSource),
      log: this.#log,
      ...(this.#isDevelopment ? { pendingRetryMs: 500 } : {}),
    });
    // A run that was given up leaves a reserved nonce behind, and every later transaction of the signer would wait for it.
    let isBusy = false;
    this.#sweeping = setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      void sender
        .sweep()
        .catch((error: unknown) => {
          this.#log.warn('Open transactions could not be looked at', { reason: String(error) });
        })
        .finally(() => {
          isBusy = false;
        });
    }, sweepMs);
    this.#sweeping.unref();
    return sender;
  }
}
