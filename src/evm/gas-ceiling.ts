import type { Rpc } from './rpc-client.js';

const freshMs = 60_000;
const doubtMs = 1_000;

interface Known {
  readonly gas: Promise<bigint | undefined>;
  readonly at: number;
  /** How often in a row the node was silent. */
  silences: number;
}

/** The gas of a whole block, which no transaction can have more than. It moves slowly, so it is asked for now and then. */
export class GasCeiling {
  #known: Known | undefined;

  constructor(private readonly rpc: Pick<Rpc, 'request'>) {}

  /** What a block holds, if that is less; undefined when it fits, or the node does not say. */
  async below(gas: bigint): Promise<bigint | undefined> {
    if (!(await this.#isAbove(gas, freshMs))) return undefined;
    // It may have grown since.
    return (await this.#isAbove(gas, doubtMs)) ? await this.#known?.gas : undefined;
  }

  async #isAbove(gas: bigint, withinMs: number): Promise<boolean> {
    const known = this.#known;
    const keptMs = known?.silences ? Math.min(withinMs, doubtMs * 2 ** (known.silences - 1)) : withinMs;
    if (known === undefined || performance.now() - known.at >= keptMs) this.#known = this.#askAfter(known);
    const ceiling = await this.#known?.gas;
    return ceiling !== undefined && gas > ceiling;
  }

  /** A node that is silent holds nobody up for longer than one call; it is asked again soon, and then ever more rarely. */
  #askAfter(known: Known | undefined): Known {
    const gas = this.#ask().catch(() => {
      asked.silences = (known?.silences ?? 0) + 1;
      return known?.gas;
    });
    const asked: Known = { gas, at: performance.now(), silences: 0 };
    return asked;
  }

  async #ask(): Promise<bigint | undefined> {
    const block = await this.rpc.request<Readonly<Record<string, unknown>> | null>('eth_getBlockByNumber', [
      'latest',
      false,
    ]);
    const gas = block?.['gasLimit'];
    return typeof gas === 'string' && /^0x[0-9a-f]{1,16}$/i.test(gas) ? BigInt(gas) : undefined;
  }
}
