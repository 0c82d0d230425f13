import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seed } from '../../test/builders/seed.js';
import { MinedBlocks } from './mined-blocks.js';
import type { Signer } from './signer.js';
import { silent, until } from './testing/heard-logs.js';
import { localSignals } from './testing/manager-parts.js';
import { ModelLedger } from './testing/model-ledger.js';
import { branchTurns, hexHash } from './testing/model-blocks.js';
import { ModelNode, type NodeTurn } from './testing/model-node.js';
import { TransactionManager } from './transaction-manager.js';
import { isFinal, type SenderLeases, type TransactionStatus } from './transaction-store.js';

const from = `0x${'a1'.repeat(20)}`;
const count = 10;
const blockMs = 40;
const scenarios = 24;
const dataOf = (index: number): string => `0x${String(index).padStart(4, '0')}`;

const signer: Signer = {
  name: 'a',
  address: from,
  signTransaction: ({ nonce, data, fee }) => {
    const raw = JSON.stringify({ nonce, data, max: fee.max.toString() });
    return Promise.resolve({ raw, hash: hexHash(raw) });
  },
};

/** A hub that sends for one signer; it may die at any call, and another one takes over what is stored. */
class Sending {
  readonly ledger = new ModelLedger();
  readonly node: ModelNode;
  #lives = { isOver: false };
  #lease: AbortController | undefined;
  #manager!: TransactionManager;
  #blocks!: MinedBlocks;

  constructor(turns: readonly NodeTurn[]) {
    this.node = new ModelNode(from, turns, (kind) => {
      if (kind === 'storeIsAway') this.ledger.fault = 'isAway';
      if (kind === 'storeLosesAnswer') this.ledger.fault = 'losesAnswer';
      if (kind === 'dies') this.#begin();
    });
    this.#begin();
  }

  async submit(index: number, finality: number): Promise<void> {
    const wanted = { signer: 'a', to: from, data: dataOf(index), value: 1n, gasLimit: 100_000n, finality };
    const request = { ...wanted, idempotencyKey: dataOf(index) };
    // As callers do who get no answer.
    for (;;) {
      const answer = this.#manager.submit(request).catch(() => undefined);
      if (await Promise.race([answer, delay(500, undefined)])) return;
      await delay(20);
    }
  }

  async end(): Promise<void> {
    this.#lives.isOver = true;
    this.#lease?.abort();
    await Promise.race([Promise.all([this.#manager.close(), this.#blocks.close()]), delay(100)]);
  }

  #begin(): void {
    this.#lives.isOver = true;
    this.#lease?.abort();
    const own = (this.#lives = { isOver: false });
    const lives = (): boolean => !own.isOver;
    const leases: SenderLeases = {
      acquire: () => {
        if (!lives() || this.#lease?.signal.aborted === false) return Promise.resolve(undefined);
        const lease = (this.#lease = new AbortController());
        return Promise.resolve({
          signal: lease.signal,
          release: () => {
            lease.abort();
            return Promise.resolve();
          },
        });
      },
    };
    const rpc = this.node.rpc(lives);
    this.#blocks = new MinedBlocks({ rpc, log: silent, pollMs: 5 });
    this.#manager = new TransactionManager({
      ...{ rpc, leases, log: silent, blocks: this.#blocks, store: this.ledger.store(lives), signals: localSignals() },
      ...{ window: 8, raiseAfterBlocks: 3, resendAfterMs: 300 },
      signers: { get: () => Promise.resolve(signer) },
      fees: {
        current: () => Promise.resolve({ max: this.node.price * 2n, tip: 1n }),
        raise: (before, now) => {
          const least = (before.max * 9n) / 8n + 1n;
          return { max: now.max > least ? now.max : least, tip: 1n };
        },
      },
      explain: () => Promise.resolve(undefined),
    });
    this.#manager.start();
  }
}

const turn = fc.oneof<fc.MaybeWeightedArbitrary<NodeTurn>[]>(
  { weight: 8, arbitrary: fc.constant({ kind: 'nothing' }) },
  fc
    .constantFrom(
      ...(['loses', 'losesAnswer', 'forgets', 'rises', 'falls', 'dies', 'storeIsAway', 'storeLosesAnswer'] as const),
    )
    .map((kind) => ({ kind })),
  ...branchTurns,
);

const order: readonly TransactionStatus[] = ['reserved', 'signed', 'broadcast', 'mined', 'confirmed'];

/** What became of it all, in words; empty when all is well. */
async function play(turns: readonly NodeTurn[], finality: number): Promise<string[]> {
  const sending = new Sending(turns);
  const { node, ledger } = sending;
  const miner = setInterval(() => node.mine(), blockMs);
  try {
    await Promise.all(Array.from({ length: count }, (_, index) => sending.submit(index, finality)));
    const isDone = () => {
      const isOver = ledger.rows.every(isFinal);
      // Nobody asks any more, and something may happen yet.
      if (isOver && !node.isQuiet) node.turn();
      return isOver && node.isQuiet;
    };
    await until(isDone, 'the end of all transactions', 60_000).catch(() => undefined);

    const faults: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const mined = node.mined.filter(({ data }) => data === dataOf(index));
      const row = ledger.rows.find(({ idempotencyKey }) => idempotencyKey === dataOf(index));
      if (mined.length !== 1) faults.push(`${dataOf(index)} is ${String(mined.length)} times on the chain`);
      if (row?.status !== 'confirmed') faults.push(`${dataOf(index)} is ${row?.status ?? 'lost'}`);
      if (row?.place?.blockHash !== mined[0]?.blockHash)
        faults.push(`${dataOf(index)} has a place that is not its own`);
    }
    if (ledger.rows.length !== count) faults.push(`there are ${String(ledger.rows.length)} transactions`);
    for (const { id } of ledger.rows) {
      const steps = ledger.history(id);
      for (const [place, { status, reason }] of steps.entries()) {
        const before = steps[place - 1]?.status ?? 'reserved';
        const isBack = order.indexOf(status) < order.indexOf(before);
        if (isBack && reason !== 'reorganised') faults.push(`${id} went from ${before} to ${status}`);
      }
    }
    return faults;
  } finally {
    clearInterval(miner);
    await sending.end();
  }
}

describe('sending, whatever happens', () => {
  it('given nodes that forget, lag, lose answers and reorganise, a store that is away and processes that die, then each transaction is carried out once, and its end is true', async () => {
    const courses = fc.sample(
      fc.tuple(fc.array(turn, { minLength: 20, maxLength: 200 }), fc.integer({ min: 3, max: 4 })),
      { numRuns: scenarios, seed },
    );
    // Most of it is waiting for blocks, so they are played side by side.
    const faults = await Promise.all(
      courses.map(async ([turns, finality]) => {
        const found = await play(turns, finality);
        return found.length === 0 ? [] : [{ found, finality, turns: JSON.stringify(turns) }];
      }),
    );
    expect({ seed, faults: faults.flat() }).toEqual({ seed, faults: [] });
  });
});
