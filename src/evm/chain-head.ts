import type { Logger } from '#sdk';
import { findBlock } from './block.js';
import { BlockWindow, type BlockMemory, type KnownBlock } from './block-window.js';
import { FinalBlocks } from './final-blocks.js';
import { HeadFollower } from './head-follower.js';
import type { Rpc } from './rpc-client.js';
import { RpcError } from './rpc-error.js';
import type { Finality } from './subscription.js';

export interface ChainHeadOptions {
  readonly chainId: number;
  readonly log: Logger;
  readonly memory: BlockMemory | undefined;
  /** Blocks whose hashes are kept: the deepest reorganisation that is followed. */
  readonly windowSize: number;
}

/** The newest blocks of one network as they were last seen, which of them are final, and what is remembered of them. */
export class ChainHead {
  readonly #options: ChainHeadOptions;
  readonly #finality: FinalBlocks;
  #window: BlockWindow;
  #follower: HeadFollower;
  #saving: Promise<void> | undefined;
  #movedAt: Date | undefined;

  constructor(options: ChainHeadOptions) {
    this.#options = options;
    this.#finality = new FinalBlocks(options.log);
    this.#window = new BlockWindow(options.windowSize);
    this.#follower = new HeadFollower(this.#window);
  }

  get window(): BlockWindow {
    return this.#window;
  }

  /** When a new head was last seen. */
  get movedAt(): Date | undefined {
    return this.#movedAt;
  }

  /** Newest block that counts for one who asks for this much. */
  newest(finality: Finality): number {
    return this.#finality.newest(finality, this.#window.tip?.number ?? -1);
  }

  async remember(): Promise<void> {
    const { memory, chainId, log } = this.#options;
    if (!memory || this.#window.tip) return;
    try {
      this.#begin(await memory.load(chainId));
    } catch (error) {
      log.warn('The remembered blocks could not be loaded', { reason: String(error) });
    }
  }

  /** After a reorganisation that cannot be measured only an operator's choice of a block makes a new start. */
  forget(): void {
    this.#begin();
  }

  /** Looks where the chain is now. @throws evm.reorgTooDeep */
  async read(rpc: Rpc, wanted: readonly Finality[], signal: AbortSignal): Promise<void> {
    const head = await findBlock(rpc, 'latest', signal);
    if (!head) throw new RpcError('transport', 'The node has no newest block');
    const before = this.#window.tip;
    const abandonedFrom = await this.#follower.advance(rpc, head, signal);
    if (abandonedFrom !== undefined) {
      this.#options.log.info('The chain was reorganised', { from: abandonedFrom, head: head.number });
    }
    const { tip } = this.#window;
    if (!tip) return;
    if (tip.hash !== before?.hash) {
      this.#movedAt = new Date();
      this.#finality.clear();
      this.#save();
    }
    await this.#finality.read(rpc, tip, wanted, signal);
  }

  /** Has the blocks from this one on, as far as the window reaches. */
  async deepen(rpc: Rpc, number: number, signal: AbortSignal): Promise<void> {
    await this.#follower.deepen(rpc, number, signal);
  }

  /** Resolves when nothing is being written any more. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #begin(remembered: readonly KnownBlock[] = []): void {
    this.#window = new BlockWindow(this.#options.windowSize, remembered);
    this.#follower = new HeadFollower(this.#window);
  }

  /** Not awaited by who reads: what is not kept yet costs a wider withdrawal after a restart, nothing else. */
  #save(): void {
    const { memory, chainId, log } = this.#options;
    if (!memory || this.#saving) return;
    const window = this.#window;
    const { blocks, keepFrom } = window.takeUnsaved();
    this.#saving = memory
      .save(chainId, blocks, keepFrom)
      .catch((error: unknown) => {
        window.putBackUnsaved(blocks);
        log.warn('The newest blocks could not be remembered', { reason: String(error) });
      })
      .finally(() => {
        this.#saving = undefined;
      });
  }
}
