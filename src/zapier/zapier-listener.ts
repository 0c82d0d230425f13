import { setTimeout as delay } from 'node:timers/promises';
import { transactionFeed, type TransactionChange } from '#evm';
import type { NetworksService } from '#networks';
import { Looks, Watches, type Lease, type Leases, type Signals, type Watch } from '#platform';
import { followFeed, type FeedEntry, type Logger, type UseService } from '#sdk';
import type { TransactionsQueries } from '#transactions';
import { chooseOnChain } from './chain-choice.js';
import type { DeliveriesStore } from './deliveries.store.js';
import type { EndedRunsStore, UntoldRun } from './ended-runs.store.js';
import { zapierTopic } from './hook-sender.js';
import { runItem, runResult, transactionItem, type Item } from './items.js';
import type { Subscription, SubscriptionsStore } from './subscriptions.store.js';
import { changeOf, wantsChange } from './transaction-choice.js';
import { triggerInputs, type ChainInput } from './zapier.schema.js';

export interface ZapierListenerParts {
  readonly subscriptions: SubscriptionsStore;
  readonly deliveries: DeliveriesStore;
  readonly endedRuns: EndedRunsStore;
  readonly networks: NetworksService;
  readonly transactions: TransactionsQueries;
  readonly use: UseService;
  readonly leases: Leases;
  readonly signals: Signals;
  readonly log: Logger;
}

const leaseName = 'zapier listener';
const lookEveryMs = 1_000;
const runsEveryMs = 500;
const runsAtATime = 200;
/** A run is visible a little after the time it is stamped with; one whose store was slow, much later. */
const overlapMs = 2_000;
const longOverlapMs = 10 * 60_000;
const longOverlapEveryMs = 60_000;
const transactionsPlace = 'transactions';
const runsPlace = 'runs';

/**
 * Hears what Zaps have subscribed to and puts it into the ledger, in the one process that holds the lease. The place of each
 * subscription moves together with what was heard, so that a restart misses nothing and repeats nothing.
 */
export class ZapierListener {
  readonly #watches = new Watches();
  readonly #looks: Looks;
  #lease: Lease | undefined;

  constructor(private readonly parts: ZapierListenerParts) {
    this.#looks = new Looks({
      look: () => this.#arrange(),
      failed: (error) => parts.log.info('Nothing can be heard for Zapier for now', { error }),
      everyMs: lookEveryMs,
      hears: { signals: parts.signals, topic: zapierTopic },
    });
  }

  start(): void {
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    await this.#looks.stop();
    await this.#watches.stop();
    await this.#lease?.release();
  }

  async #arrange(): Promise<void> {
    if (this.#lease?.signal.aborted) {
      await this.#watches.stop();
      this.#lease = undefined;
    }
    this.#lease ??= await this.parts.leases.acquire(leaseName);
    const lease = this.#lease;
    if (!lease) return;
    const wanted = [...(await this.#wanted(lease))].map(
      ([name, listen]) => [name, this.#watchOf(name, listen)] as const,
    );
    await this.#watches.align(new Map(wanted), lease.signal);
  }

  /** One for each subscription to a chain, one for all of each other kind that is wanted. */
  async #wanted(lease: Lease): Promise<Map<string, (signal: AbortSignal) => Promise<void>>> {
    const { subscriptions } = this.parts;
    const onChain = await subscriptions.of(['contract_event', 'token_transfer']);
    const wanted = new Map(
      onChain.map((one) => [one.id, (signal: AbortSignal) => this.#watchChain(one.id, lease, signal)] as const),
    );
    const others = await subscriptions.of(['transaction_status']);
    if (others.length > 0) wanted.set(transactionsPlace, (signal) => this.#followTransactions(lease, signal));
    wanted.set(runsPlace, (signal) => this.#followRuns(lease, signal));
    return wanted;
  }

  #watchOf(subscription: string, listen: Watch['listen']): Watch {
    return {
      listen,
      failed: async ({ code, detail }) =>
        this.parts.log.info('What a Zap listens to cannot be heard for now', { subscription, code, detail }),
    };
  }

  async #watchChain(id: string, { epoch }: Lease, signal: AbortSignal): Promise<void> {
    const { subscriptions, deliveries, networks } = this.parts;
    const subscription = (await subscriptions.of(['contract_event', 'token_transfer'])).find((one) => one.id === id);
    if (!subscription) return;
    const input = chainInputOf(subscription);
    const network = await networks.get(input.network);
    const choice = await chooseOnChain(network, input);
    await network.watcher.watch({
      filter: choice.filter,
      finality: network.finality,
      cursor: subscription.cursor ?? undefined,
      signal,
      deliver: async ({ logs, cursor }) => {
        const heard = choice.hear(logs).map((one) => ({ ...one, subscription: id }));
        await deliveries.hear(id, heard, { cursor, epoch });
        if (heard.length > 0) this.#tell();
      },
      retract: async ({ from, cursor }) => {
        choice.restart();
        await deliveries.retract(id, { from, cursor, epoch });
      },
    });
  }

  async #followTransactions({ epoch }: Lease, signal: AbortSignal): Promise<void> {
    const { subscriptions, use } = this.parts;
    const feed = use(transactionFeed);
    const starts = (await subscriptions.of(['transaction_status'])).flatMap(({ cursor }) => cursor ?? []);
    const after = (await subscriptions.place(transactionsPlace)) ?? starts.sort()[0] ?? (await feed.tail());
    for await (const page of followFeed(feed, { after, signal })) {
      await this.#hearChanges(page);
      await subscriptions.setPlace(transactionsPlace, page.at(-1)!.cursor, epoch);
    }
  }

  async #hearChanges(page: readonly FeedEntry<TransactionChange>[]): Promise<void> {
    const { subscriptions, deliveries, networks } = this.parts;
    // Asked anew for each page: whoever has subscribed before it was read is told of it.
    const listening = await subscriptions.of(['transaction_status']);
    const heard = page.flatMap(({ item: change, cursor }) => {
      const network = networks.findName(change.transaction.chainId) ?? '';
      const item = transactionItem(change, network);
      return listening
        .filter((one) => (one.cursor ?? '') < cursor && wantsChange(one.input, change, network))
        .map((one) => ({ subscription: one.id, key: change.id, item, position: null }));
    });
    await deliveries.add(heard);
    if (heard.length > 0) this.#tell();
  }

  async #followRuns({ epoch }: Lease, signal: AbortSignal): Promise<void> {
    const { subscriptions, endedRuns } = this.parts;
    let longAt = 0;
    while (!signal.aborted) {
      await this.#hearRuns(() => endedRuns.awaited(runsAtATime), runResult);
      await this.#hearAwaitedTransactions();
      const listening = await subscriptions.of(['flow_finished']);
      if (listening.length > 0) {
        const now = await endedRuns.now();
        const first = Math.min(...listening.map(({ cursor }) => Date.parse(cursor ?? now)));
        // Whoever has listened before was told up to the place; before the first one began nobody listened.
        const place = await subscriptions.place(runsPlace);
        const from = place === undefined ? first : Math.max(Date.parse(place), first);
        const isLong = longAt === 0 || performance.now() - longAt >= longOverlapEveryMs;
        const since = new Date(from - (isLong ? longOverlapMs : overlapMs));
        await this.#hearRuns(() => endedRuns.untold(since, runsAtATime), runItem);
        await subscriptions.setPlace(runsPlace, now, epoch);
        if (isLong) longAt = performance.now();
      }
      await delay(runsEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #hearRuns(next: () => Promise<UntoldRun[]>, itemOf: (run: UntoldRun['run']) => Item): Promise<void> {
    for (;;) {
      const untold = await next();
      await this.parts.deliveries.add(
        untold.map(({ subscription, run }) => {
          const item = itemOf(run);
          return { subscription, key: item.id, item, position: null };
        }),
      );
      if (untold.length > 0) this.#tell();
      if (untold.length < runsAtATime) return;
    }
  }

  async #hearAwaitedTransactions(): Promise<void> {
    const { endedRuns, transactions, deliveries } = this.parts;
    const awaited = await endedRuns.awaitedTransactions(runsAtATime);
    if (awaited.length === 0) return;
    const told = awaited.map(async ({ subscription, transaction }) => {
      const change = changeOf(await transactions.get(transaction));
      return { subscription, key: transaction, item: transactionItem(change, change.network), position: null };
    });
    await deliveries.add(await Promise.all(told));
    this.#tell();
  }

  #tell(): void {
    this.parts.signals.publish(zapierTopic, null);
  }
}

function chainInputOf({ trigger, input }: Subscription): ChainInput {
  return trigger === 'contract_event'
    ? { trigger, ...triggerInputs.contract_event.parse(input) }
    : { trigger: 'token_transfer', ...triggerInputs.token_transfer.parse(input) };
}
