import { LogWatcher, type LogWatcherOptions } from '../log-watcher.js';
import { RpcClient } from '../rpc-client.js';
import type { WatchOptions } from '../subscription.js';
import { DevChain } from './dev-chain.js';
import { FaultProxy } from './fault-proxy.js';
import { HeardLogs, silent, until } from './heard-logs.js';

/** A real chain, a proxy before it that can be told to fail, and whoever watches it. */
export class WatchStage {
  /** What a spec has begun, to be ended in the opposite order. */
  #closing: (() => Promise<void>)[] = [];

  private constructor(
    readonly chain: DevChain,
    readonly proxy: FaultProxy,
  ) {}

  static async start(): Promise<WatchStage> {
    const chain = await DevChain.start();
    return new WatchStage(chain, await FaultProxy.start(chain.url));
  }

  aWatcher(options: Partial<LogWatcherOptions> = {}, urls: readonly string[] = [this.chain.url]): LogWatcher {
    const rpc = new RpcClient({ urls, chainId: DevChain.chainId, timeoutMs: 5_000 });
    const watcher = new LogWatcher({ rpc, log: silent, revertedAfter: 12, pollMs: 10, ...options });
    this.onClear(() => watcher.close());
    return watcher;
  }

  /** Hears the transfers from now on. */
  async listening(watcher: LogWatcher, options: Partial<WatchOptions> = {}): Promise<HeardLogs> {
    const heard = new HeardLogs();
    void heard.listen(watcher, { filter: { addresses: [this.chain.token], topics: [] }, ...options });
    this.onClear(() => heard.stop());
    await until(() => heard.cursor !== undefined, 'the watch has begun');
    return heard;
  }

  onClear(close: () => Promise<void>): void {
    this.#closing.push(close);
  }

  /** Ends what a spec has begun. */
  async clear(): Promise<void> {
    this.proxy.fault = undefined;
    for (const close of this.#closing.splice(0).reverse()) await close();
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.chain.stop();
  }
}
