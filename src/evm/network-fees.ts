import { currentFee, raisedFee, type FeeSettings } from './fees.js';
import type { RpcClient } from './rpc-client.js';
import type { FeePolicy } from './signed-attempts.js';
import type { Fee } from './signer.js';

const freshMs = 1_000;

/** What a network takes for transactions, asked for once a second at most. */
export class NetworkFees implements FeePolicy {
  #known: { readonly fee: Promise<Fee>; readonly at: number } | undefined;

  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: FeeSettings = {},
  ) {}

  async current(): Promise<Fee> {
    const known = this.#known;
    if (known && performance.now() - known.at < freshMs) return await known.fee;
    const fee = this.rpc.traits().then((traits) => currentFee(this.rpc, traits, this.settings));
    this.#known = { fee, at: performance.now() };
    fee.catch(() => {
      this.#known = undefined;
    });
    return await fee;
  }

  raise(before: Fee, now: Fee): Fee | undefined {
    return raisedFee(before, now, this.settings);
  }
}
