import { RpcError } from './rpc-error.js';

/**
 * So many calls a second to one node. All that ask wait in one line, each in its turn, so that none crowds out another; a
 * batch counts as its calls. After a pause, calls of one second may go at once.
 */
export class RequestPace {
  readonly #perSecond: number;
  readonly #longestWaitMs: number;
  /** When the line will have moved up to its end. */
  #freeAt = 0;

  constructor(perSecond: number, longestWaitMs: number) {
    this.#perSecond = perSecond;
    this.#longestWaitMs = longestWaitMs;
  }

  /** @throws RpcError `throttled` when the line is longer than one may wait; the place in it is then not taken */
  async take(calls: number): Promise<void> {
    const now = performance.now();
    const begin = Math.max(this.#freeAt, now - 1_000);
    const waitMs = begin - now;
    if (waitMs > this.#longestWaitMs) {
      throw new RpcError('throttled', 'More is asked of the node than requestsPerSecond allows', {
        retryAfterMs: Math.ceil(waitMs),
        fix: 'Raise requestsPerSecond of the network, or add another node to rpcUrl.',
      });
    }
    this.#freeAt = begin + (calls * 1_000) / this.#perSecond;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
