import type { TransactionStore } from '#evm';

/** A process that dies at its n-th step: before the step has an effect, or after it but before anybody hears of it. */
export class Cut {
  isDead = false;
  #steps = 0;

  constructor(
    readonly at: number,
    readonly moment: 'before' | 'after',
  ) {}

  async through<T>(step: () => Promise<T>): Promise<T> {
    this.#steps += 1;
    if (this.isDead) throw new Error('cut');
    const isLast = this.#steps === this.at;
    if (isLast) this.isDead = true;
    if (isLast && this.moment === 'before') throw new Error('cut');
    const result = await step();
    if (isLast) throw new Error('cut');
    return result;
  }

  around(inner: TransactionStore): TransactionStore {
    return new Proxy(inner, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => this.through(() => method.apply(target, args) as Promise<unknown>);
      },
    });
  }
}
