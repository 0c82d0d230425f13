import type { Store } from '#platform';
import { openTestStore } from '../../../test/environment/postgres.js';
import { DevChain, devAccounts } from '../../evm/testing/dev-chain.js';
import type { StreamEvent } from '../stream.js';
import { Receiver } from './receiver.js';
import { startStreamProcess, type StageOptions, type StreamProcess } from './stream-stage.js';

/** Streams that deliver to a receiver, over a real database and a real chain with the demonstration token. */
export class DeliveryStage {
  #processes: StreamProcess[] = [];

  private constructor(
    readonly chain: DevChain,
    readonly store: Store,
    public receiver: Receiver,
  ) {}

  static async start(): Promise<DeliveryStage> {
    const [chain, store, receiver] = await Promise.all([DevChain.start(), openTestStore(), Receiver.start()]);
    await chain.deploy('DemoToken');
    return new DeliveryStage(chain, store, receiver);
  }

  async aProcess(options: Partial<StageOptions> = {}): Promise<StreamProcess> {
    const { store, chain } = this;
    const started = await startStreamProcess({ store, chain, ...options });
    this.#processes.push(started);
    return started;
  }

  async stop(one: StreamProcess): Promise<void> {
    this.#processes = this.#processes.filter((other) => other !== one);
    await one.stop();
  }

  aStream(changes: Readonly<Record<string, unknown>> = {}) {
    return {
      name: 'transfers',
      contracts: ['token'],
      events: [{ event: 'Transfer' }],
      batch: { size: 50, timeout: '20ms' },
      retry: { delay: '20ms', maxDelay: '100ms' },
      target: { type: 'webhook', url: this.receiver.url },
      ...changes,
    };
  }

  async approve(token: string, amount: number): Promise<void> {
    await this.chain.send({ to: token, data: `0x095ea7b3${word(devAccounts[1].address)}${word(amount)}` });
  }

  async transferOf(token: string, amount: number, to: string = devAccounts[1].address): Promise<void> {
    await this.chain.send({ to: token, data: `0xa9059cbb${word(to)}${word(amount)}` });
  }

  /** Ends the processes and forgets the streams; what is received from here on is the next test's. */
  async clear(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((one) => one.stop()));
    await this.receiver.stop();
    await this.store.db.deleteFrom('stream').execute();
    this.receiver = await Receiver.start();
  }

  async close(): Promise<void> {
    await this.receiver.stop();
    await this.chain.stop();
    await this.store.close();
  }
}

export function valuesOf(events: readonly StreamEvent[]): number[] {
  return events.map(({ data }) => Number((data['args'] as { value: string }).value));
}

function word(value: string | number): string {
  return (typeof value === 'string' ? value.slice(2) : value.toString(16)).padStart(64, '0');
}
