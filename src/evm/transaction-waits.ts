import { PatchbayError } from '#sdk';
import { hasReached, type TransactionRecord, type TransactionStore } from './transaction-store.js';

type Until = Parameters<typeof hasReached>[1];

interface Waiting {
  readonly until: Until;
  readonly resolve: (record: TransactionRecord) => void;
  readonly reject: (error: unknown) => void;
}

/** Words between processes may get lost, so those who wait look by themselves too. */
const lookMs = 1_000;

/** Those who wait for transactions of one network: one question to the store answers all of them. */
export class TransactionWaits {
  readonly #waiting = new Map<string, Set<Waiting>>();
  #isLooking = false;
  #isAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #stop: (() => void) | undefined;

  constructor(
    private readonly store: TransactionStore,
    private readonly onChanged: (listener: () => void) => () => void,
  ) {}

  async waitFor(
    id: string,
    until: Until,
    { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<TransactionRecord> {
    let end: (() => void) | undefined;
    const reached = new Promise<TransactionRecord | undefined>((resolve, reject) => {
      const waiting: Waiting = { until, resolve, reject };
      this.#add(id, waiting);
      const give = (): void => resolve(undefined);
      const timer = setTimeout(give, withinMs);
      signal.addEventListener('abort', give);
      end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', give);
        this.#remove(id, waiting);
      };
    });
    try {
      this.#look();
      return (await reached) ?? (await this.#get(id));
    } finally {
      end?.();
    }
  }

  close(): void {
    this.#rest();
    const closing = new PatchbayError('hub.stopping', { detail: 'The hub is being stopped' });
    for (const all of this.#waiting.values()) for (const { reject } of all) reject(closing);
  }

  #add(id: string, waiting: Waiting): void {
    const all = this.#waiting.get(id);
    if (all) all.add(waiting);
    else this.#waiting.set(id, new Set([waiting]));
    this.#stop ??= this.onChanged(() => this.#look());
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
  }

  #remove(id: string, waiting: Waiting): void {
    const all = this.#waiting.get(id);
    all?.delete(waiting);
    if (all?.size === 0) this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stop?.();
    this.#stop = undefined;
  }

  #look(): void {
    this.#isAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    void this.#lookAll().finally(() => {
      this.#isLooking = false;
      if (this.#isAgain) this.#look();
    });
  }

  async #lookAll(): Promise<void> {
    this.#isAgain = false;
    const ids = [...this.#waiting.keys()];
    if (ids.length === 0) return;
    // When the store is away the next look finds it again, and each wait has its own end.
    const records = await this.store.find(ids).catch(() => []);
    for (const record of records) {
      for (const { until, resolve } of this.#waiting.get(record.id) ?? [])
        if (hasReached(record, until)) resolve(record);
    }
  }

  async #get(id: string): Promise<TransactionRecord> {
    const [record] = await this.store.find([id]);
    if (!record) throw new PatchbayError('request.notFound', { detail: `There is no transaction ${id}` });
    return record;
  }
}
