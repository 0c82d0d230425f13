import { isStoreUnavailable } from './pool.js';

/**
 * Gathers what many callers want written and writes it in one round trip: while one batch is under way the next one
 * fills. A lone item waits for nobody, so calm traffic pays no latency and a burst pays one statement for many rows.
 *
 * @param write gives one result per item, in order. When it throws, the items are written one by one, so that one that
 * cannot be written fails alone; unless the fault lies with the store, which then fails them all.
 */
export class Batcher<Item, Result> {
  #waiting: Waiting<Item, Result>[] = [];
  #active = 0;
  #isScheduled = false;

  constructor(
    private readonly write: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: { readonly size: number; readonly parallel: number },
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#active >= this.limits.parallel) return;
    this.#isScheduled = true;
    // After the present round of callbacks: everything that became ready in it travels together.
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting.splice(0, this.limits.size);
    if (batch.length === 0) return;
    this.#active += 1;
    if (this.#waiting.length > 0) this.#schedule();
    try {
      const results = await this.write(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, i) => resolve(results[i] as Result));
    } catch (error) {
      if (batch.length === 1 || isStoreUnavailable(error)) for (const { reject } of batch) reject(error);
      else for (const waiting of batch) await this.#writeAlone(waiting);
    } finally {
      this.#active -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }

  async #writeAlone({ item, resolve, reject }: Waiting<Item, Result>): Promise<void> {
    try {
      const [result] = await this.write([item]);
      resolve(result as Result);
    } catch (error) {
      reject(error);
    }
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
