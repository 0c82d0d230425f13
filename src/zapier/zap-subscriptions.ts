import { formatCheckpoint, transactionFeed } from '#evm';
import type { NetworksService } from '#networks';
import type { Caller, Signals } from '#platform';
import { PatchbayError, type HttpClient, type UseService } from '#sdk';
import type { TransactionsQueries } from '#transactions';
import { chooseOnChain, headOf, readNewest } from './chain-choice.js';
import type { DeclaredForZapier } from './declared.js';
import type { DeliveriesStore } from './deliveries.store.js';
import type { EndedRunsStore } from './ended-runs.store.js';
import { exampleRun, exampleTransaction } from './examples.js';
import { zapierTopic } from './hook-sender.js';
import { publishedItem, runItem, transactionItem, type Item } from './items.js';
import type { SubscriptionsStore, SubscriptionState } from './subscriptions.store.js';
import { changeOf, wantsChange } from './transaction-choice.js';
import { parseInput } from './trigger-input.js';
import { assertTarget, hashOf } from './zap-targets.js';
import { triggerInputs, type ChainInput, type TriggerInput, type TriggerName } from './zapier.schema.js';

export interface ZapSubscriptionsParts {
  readonly subscriptions: SubscriptionsStore;
  readonly deliveries: DeliveriesStore;
  readonly endedRuns: EndedRunsStore;
  readonly declared: DeclaredForZapier;
  readonly networks: NetworksService;
  readonly transactions: TransactionsQueries;
  readonly http: HttpClient;
  readonly signals: Signals;
  readonly use: UseService;
}

interface Asked {
  readonly targetUrl: string;
  readonly trigger: TriggerName;
  readonly input: Readonly<Record<string, unknown>>;
  readonly inBatch: boolean;
}

/** More would be a fault somewhere: each is one Zap that is switched on. */
const mostSubscriptions = 2_000;
const mostListed = 500;
const samples = 3;
const recentTransactions = 100;

/** What a Zap begins with: subscribing, ending it, and what the editor shows beforehand. */
export class ZapSubscriptions {
  constructor(private readonly parts: ZapSubscriptionsParts) {}

  /**
   * Everything that is wrong is said now. The same again is the same subscription.
   *
   * @throws target.forbidden, request.invalid, evm.unknownContract, evm.unknownFunction, flow.notFound
   */
  async subscribe({ targetUrl, trigger, input: given, inBatch }: Asked, caller: Caller): Promise<{ id: string }> {
    const input = parseInput(trigger, given);
    await assertTarget(targetUrl, this.parts.http);
    const cursor = await this.#begin(trigger, input);
    if ((await this.parts.subscriptions.count()) >= mostSubscriptions) {
      throw new PatchbayError('request.conflict', {
        detail: `This hub has ${mostSubscriptions} subscriptions already.`,
        fix: 'Switch Zaps off that are not used any more.',
      });
    }
    const { id } = await this.parts.subscriptions.add({
      hash: hashOf([targetUrl, trigger, input]),
      trigger,
      topic: topicOf(trigger, input),
      input,
      awaits: null,
      targetUrl,
      inBatch,
      cursor,
      createdBy: caller.name,
    });
    this.parts.signals.publish(zapierTopic, null);
    return { id };
  }

  async unsubscribe(id: string): Promise<boolean> {
    const isGone = await this.parts.subscriptions.remove(id);
    if (isGone) this.parts.signals.publish(zapierTopic, null);
    return isGone;
  }

  list(): Promise<SubscriptionState[]> {
    return this.parts.subscriptions.list(mostListed);
  }

  /** What was delivered lately, else what happened, else an example: all of it made as a delivery is. */
  async samples(trigger: TriggerName, given: Readonly<Record<string, unknown>>): Promise<readonly Item[]> {
    const input = parseInput(trigger, given);
    const sent = await this.parts.deliveries.newestSent(trigger, topicOf(trigger, input), samples);
    const others = sent.length < samples ? await this.#happened(trigger, input) : [];
    return [...new Map([...sent, ...others].map((item) => [item.id, item])).values()].slice(0, samples);
  }

  async #happened(trigger: TriggerName, input: TriggerInput): Promise<readonly Item[]> {
    const { networks, declared, deliveries, endedRuns, transactions } = this.parts;
    switch (trigger) {
      case 'contract_event':
      case 'token_transfer': {
        const chain = chainInput(trigger, input);
        const network = await networks.get(chain.network);
        const choice = await chooseOnChain(network, chain);
        const newest = await readNewest(network, choice, samples);
        return newest.length > 0 ? newest : [choice.example()];
      }
      case 'transaction_status': {
        const { items: newest } = await transactions.list({ limit: recentTransactions });
        const changes = newest.map(changeOf).filter((change) => wantsChange(input, change, change.network));
        const items = changes.slice(0, samples).map((change) => transactionItem(change, change.network));
        return items.length > 0 ? items : [exampleTransaction()];
      }
      case 'flow_published': {
        const { event, fields } = declared.getEvent(triggerInputs.flow_published.parse(input).event);
        const newest = await deliveries.newestPublished(event, samples);
        if (newest.length > 0) return newest;
        const ingredients = Object.fromEntries(fields.map((name) => [name, `example of ${name}`]));
        return [publishedItem({ slug: event, id: 'example', time: '2026-01-01T00:00:00.000Z', ingredients })];
      }
      case 'flow_finished': {
        const { flow } = triggerInputs.flow_finished.parse(input);
        const newest = await endedRuns.newest(flow, samples);
        return newest.length > 0 ? newest.map(runItem) : [runItem(exampleRun(flow))];
      }
    }
  }

  /** Looks up what the input names. @returns where to begin */
  async #begin(trigger: TriggerName, input: TriggerInput): Promise<string | null> {
    const { networks, declared, endedRuns, use } = this.parts;
    switch (trigger) {
      case 'contract_event':
      case 'token_transfer': {
        const chain = chainInput(trigger, input);
        const network = await networks.get(chain.network);
        await chooseOnChain(network, chain);
        return formatCheckpoint(await headOf(network));
      }
      case 'transaction_status': {
        const { network } = triggerInputs.transaction_status.parse(input);
        if (network !== undefined) await networks.get(network);
        return use(transactionFeed).tail();
      }
      case 'flow_published':
        declared.getEvent(triggerInputs.flow_published.parse(input).event);
        return null;
      case 'flow_finished':
        declared.assertKnown(triggerInputs.flow_finished.parse(input).flow);
        return endedRuns.now();
    }
  }
}

function topicOf(trigger: TriggerName, input: TriggerInput): string {
  if (trigger === 'flow_published') return triggerInputs.flow_published.parse(input).event;
  if (trigger === 'flow_finished') return triggerInputs.flow_finished.parse(input).flow;
  return hashOf(input);
}

function chainInput(trigger: 'contract_event' | 'token_transfer', input: TriggerInput): ChainInput {
  return trigger === 'contract_event'
    ? { trigger, ...triggerInputs.contract_event.parse(input) }
    : { trigger, ...triggerInputs.token_transfer.parse(input) };
}
