import { setTimeout as delay } from 'node:timers/promises';
import type { Samples, SinkState } from '../processes/sink.js';
import type { Faults } from '../report.js';
import type { Cleanup } from './cleanup.js';
import { Part } from './part.js';

/** Where everything measured ends: a server in a process of its own that counts what was lost, doubled or out of order. */
export class BenchSink {
  private constructor(
    readonly url: string,
    private readonly part: Part,
  ) {}

  static async start(
    cleanup: Cleanup,
    options: { readonly refuseEvery?: number; readonly isSilent?: boolean } = {},
  ): Promise<BenchSink> {
    const part = Part.start('sink', options, cleanup);
    const { url } = await part.next<{ url: string }>();
    return new BenchSink(url, part);
  }

  async state(): Promise<SinkState> {
    return (await (await fetch(this.url)).json()) as SinkState;
  }

  async samples(): Promise<Samples> {
    return (await (await fetch(`${this.url}/samples`)).json()) as Samples;
  }

  /** Starts counting anew. */
  async reset(): Promise<void> {
    await fetch(this.url, { method: 'DELETE' });
  }

  /** Until so many different events have come, or until nothing has come for a while: what is missing then is lost. */
  async received(count: number, { quietMs = 20_000 } = {}): Promise<SinkState> {
    let seen = -1;
    let changedAt = Date.now();
    for (;;) {
      const state = await this.state();
      if (state.distinctIds >= count) return state;
      if (state.distinctIds !== seen) [seen, changedAt] = [state.distinctIds, Date.now()];
      if (Date.now() - changedAt > quietMs) return state;
      await delay(50);
    }
  }

  /** A late repeat would go unseen if one stopped looking with the last event. */
  async settled(count: number): Promise<SinkState> {
    await this.received(count);
    await delay(1_000);
    return this.state();
  }

  stop(): Promise<void> {
    return this.part.stop();
  }
}

/** What is wrong with what came, when so many different events were sent. */
export function sinkFaults({ distinctIds, doubledEffects, orderViolations }: SinkState, count: number): Faults {
  return { lost: Math.max(0, count - distinctIds), doubled: doubledEffects, reordered: orderViolations };
}
