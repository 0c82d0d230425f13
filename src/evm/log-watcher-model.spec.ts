import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { seed } from '../../test/builders/seed.js';
import { createLogIds } from './chain-log.js';
import { toQuantity } from './block.js';
import type { BlockMemory, KnownBlock } from './block-window.js';
import { formatPosition } from './checkpoint.js';
import { LogWatcher } from './log-watcher.js';
import type { RpcClient } from './rpc-client.js';
import { silent, until } from './testing/heard-logs.js';
import { branchTurns } from './testing/model-blocks.js';
import { ModelChain, type ChainTurn } from './testing/model-chain.js';

/** Who hears, as the hub does it: what it keeps survives a death, what was under way does not. */
class Listener {
  readonly events = new Map<string, { position: string; isActive: boolean; transaction: string }>();
  cursor: string | undefined;
  #kept = new Map<string, KnownBlock>();
  #watcher: LogWatcher | undefined;
  #stop = new AbortController();
  #watch: Promise<unknown> = Promise.resolve();
  deaths = 0;

  constructor(
    private readonly chain: ModelChain,
    private readonly finality: number,
    private readonly remembers: boolean,
  ) {
    chain.onDeath = () => this.die();
  }

  begin(): void {
    const stop = (this.#stop = new AbortController());
    const alive = () => {
      if (stop.signal.aborted) throw new Error('The process has died');
    };
    const memory: BlockMemory = {
      load: () => Promise.resolve(this.remembers ? [...this.#kept.values()] : []),
      save: (_, blocks) => {
        if (!stop.signal.aborted) for (const block of blocks) this.#kept.set(block.hash, block);
        return Promise.resolve();
      },
    };
    const rpc = this.chain as unknown as RpcClient;
    const watcher = (this.#watcher = new LogWatcher({
      rpc,
      log: silent,
      memory,
      revertedAfter: 12,
      pollMs: 0,
    }));
    let idOf = createLogIds(1);
    this.#watch = watcher
      .watch({
        filter: { addresses: undefined, topics: [] },
        finality: this.finality,
        cursor: this.cursor,
        ...(this.cursor === undefined && { fromBlock: 0 }),
        signal: stop.signal,
        deliver: async ({ logs, cursor }) => {
          await Promise.resolve();
          alive();
          for (const log of logs) {
            const position = formatPosition(log.blockNumber, log.logIndex);
            this.events.set(idOf(log), { position, isActive: true, transaction: log.transactionHash });
          }
          this.cursor = cursor;
        },
        retract: async ({ from, cursor }) => {
          await Promise.resolve();
          alive();
          idOf = createLogIds(1);
          for (const event of this.events.values()) if (event.position >= from) event.isActive = false;
          this.cursor = cursor;
        },
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    this.#watch.catch(() => undefined);
  }

  die(): void {
    this.deaths += 1;
    this.#stop.abort();
    const old = this.#watcher;
    void old?.close();
    this.begin();
  }

  get place(): number {
    return Number(this.cursor?.split(':')[0] ?? 0);
  }

  get heard(): string[] {
    return [...this.events.values()]
      .filter(({ isActive }) => isActive)
      .sort((one, other) => (one.position < other.position ? -1 : 1))
      .map(({ transaction }) => transaction);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#watcher?.close();
    await this.#watch;
  }
}

const turn = fc.oneof<fc.Arbitrary<ChainTurn>[]>(
  fc.constantFrom<ChainTurn>(
    { kind: 'nothing' },
    { kind: 'nothing' },
    { kind: 'fails' },
    { kind: 'isLate' },
    { kind: 'dies' },
  ),
  fc.record({ kind: fc.constant('mines' as const), transactions: fc.nat({ max: 2 }) }),
  fc.record({ kind: fc.constant('mines' as const), transactions: fc.nat({ max: 2 }) }),
  ...branchTurns,
);

const given = fc.record({
  finality: fc.integer({ min: 0, max: 2 }),
  remembers: fc.boolean(),
  mostBlocks: fc.constantFrom(1_000, 3),
  past: fc.constantFrom(0, 0, 120),
});

interface Given {
  readonly finality: number;
  readonly remembers: boolean;
  /** That the node searches at once. */
  readonly mostBlocks: number;
  /** Blocks that are there before anybody listens. */
  readonly past: number;
}

/** Found by earlier runs. */
const known: [Given, ChainTurn[]][] = [
  // After a restart the past is read from a node on a branch that has lost.
  [
    { finality: 2, remembers: false, mostBlocks: 1_000, past: 0 },
    [
      { kind: 'mines', transactions: 1 },
      { kind: 'reorganises', depth: 1, blocks: 0, keeps: false },
      { kind: 'reorganises', depth: 1, blocks: 1, keeps: false },
      { kind: 'mines', transactions: 0 },
      { kind: 'lags', calls: 1, behind: 1 },
      { kind: 'dies' },
      { kind: 'mines', transactions: 0 },
      { kind: 'lags', calls: 4, behind: 4 },
    ],
  ],
  // The past is searched by a node that has not got there, and the blocks are those of another one.
  [
    { finality: 0, remembers: true, mostBlocks: 1_000, past: 0 },
    [
      { kind: 'reorganises', depth: 1, blocks: 3, keeps: true },
      { kind: 'mines', transactions: 1 },
      { kind: 'reorganises', depth: 3, blocks: 4, keeps: true },
      { kind: 'reorganises', depth: 1, blocks: 1, keeps: true },
      { kind: 'nothing' },
      { kind: 'mines', transactions: 2 },
      { kind: 'lags', calls: 4, behind: 4 },
      { kind: 'lags', calls: 2, behind: 1 },
      { kind: 'mines', transactions: 0 },
      { kind: 'mines', transactions: 1 },
    ],
  ],
];

describe('any course of a chain', () => {
  beforeEach(() => {
    // Pauses after a fault are short.
    jest.spyOn(Math, 'random').mockReturnValue(0.004);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('given reorganisations, nodes that lag and fail, and a process that dies, then in the end exactly what the chain has was heard', async () => {
    await fc.assert(
      fc.asyncProperty(
        given,
        fc.array(turn, { maxLength: 60 }),
        async ({ finality, remembers, mostBlocks, past }, turns) => {
          const chain = new ModelChain(turns, mostBlocks);
          for (let block = 0; block < past; block += 1) chain.mine(block % 2);
          const listener = new Listener(chain, finality, remembers);
          listener.begin();
          try {
            await until(() => chain.isQuiet, 'the end of all turns');
            for (let block = 0; block < 4; block += 1) chain.mine();
            const target = chain.head - finality;
            const wanted = chain.transactionsTo(target);
            await until(() => listener.heard.join() === wanted.join(), 'what the chain has').catch(() => undefined);
            expect(listener.heard).toEqual(wanted);
          } finally {
            await listener.end();
          }
        },
      ),
      // A course that fails is waited for to the end: it is not shortened.
      { numRuns: 150, examples: known, seed, endOnFailure: true },
    );
  });

  it('given a node that does not have the headers of old blocks, then their logs are heard all the same', async () => {
    const chain = new ModelChain([], 1_000, 4);
    for (let block = 0; block < 6; block += 1) chain.mine(1);
    const listener = new Listener(chain, 0, false);
    listener.begin();

    await until(() => listener.heard.length === 6, 'all transactions');

    await listener.end();
  });

  it('given a listener from far and a node whose searches are ten blocks behind its blocks, then what these have is heard too', async () => {
    const chain = new ModelChain([]);
    for (let block = 0; block < 120; block += 1) chain.mine(1);
    const ask = chain.request.bind(chain);
    jest.spyOn(chain, 'request').mockImplementation((method, params = []) => {
      if (method !== 'eth_getLogs') return ask(method, params);
      const { toBlock, ...search } = params[0] as { readonly toBlock: string };
      return ask(method, [{ ...search, toBlock: toQuantity(Math.min(Number(toBlock), 110)) }]);
    });
    const listener = new Listener(chain, 0, false);
    listener.begin();

    await until(() => listener.heard.length === 120, 'all transactions');

    await listener.end();
  });
});
