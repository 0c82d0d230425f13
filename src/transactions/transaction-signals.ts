import type { TransactionSignals } from '#evm';
import type { Signals } from '#platform';
import type { OnChange } from './transaction-feed.store.js';

type What = Parameters<TransactionSignals['tell']>[1];

/** Words of the same kind within this time are told once; the first of them at once. */
const everyMs = { accepted: 5, changed: 20 } as const satisfies Record<What, number>;
const anyChange = 'transactions.changed';

/** {@link TransactionSignals} between the processes of a hub. */
export class SignalsOfTransactions implements TransactionSignals {
  readonly #gathered = new Map<string, { isAgain: boolean }>();

  constructor(private readonly signals: Signals) {}

  tell(chainId: number, what: What): void {
    this.#publish(topicOf(chainId, what), everyMs[what]);
    if (what === 'changed') this.#publish(anyChange, everyMs.changed);
  }

  on(chainId: number, what: What, listener: () => void): () => void {
    return this.#listen(topicOf(chainId, what), listener);
  }

  /** Changes on any chain. */
  readonly onChange: OnChange = (listener) => this.#listen(anyChange, listener);

  #listen(topic: string, listener: () => void): () => void {
    // Interest stays on: there are few topics, and turning it on is a message of its own.
    this.signals.setInterest(topic, true);
    return this.signals.on(topic, listener);
  }

  #publish(topic: string, pauseMs: number): void {
    const gathered = this.#gathered.get(topic);
    if (gathered !== undefined) {
      gathered.isAgain = true;
      return;
    }
    const pause = { isAgain: false };
    this.#gathered.set(topic, pause);
    setTimeout(() => {
      this.#gathered.delete(topic);
      if (pause.isAgain) this.#publish(topic, pauseMs);
    }, pauseMs).unref();
    this.signals.publish(topic, null);
  }
}

function topicOf(chainId: number, what: What): string {
  return `transactions.${String(chainId)}.${what}`;
}
