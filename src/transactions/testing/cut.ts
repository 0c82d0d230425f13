import type { TransactionStore } from '#evm';

/**
 * A process that dies at its n-th step: after the step had its effect, before anybody hears of it. What the next one finds
 * then is what it would find had the process died before its step n + 1.
 */
export class Cut {
  isDead = false;
  #steps = 0;

  constructor(readonly at: number) {}

  async through<T>(step: () => Promise<T>): Promise<T> {
    this.#steps += 1;
    if (this.isDead) throw new Error('cut');
    const isLast = this.#steps === this.at;
    if (isLast) this.isDead = true;
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
