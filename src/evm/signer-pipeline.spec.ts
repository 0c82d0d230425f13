import { afterEach, describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { overlaid } from '../../test/builders/overlaid.js';
import { MinedBlocks } from './mined-blocks.js';
import { Outcomes } from './outcomes.js';
import { SignerPipeline } from './signer-pipeline.js';
import { silent, until } from './testing/heard-logs.js';
import { ModelLedger } from './testing/model-ledger.js';
import { ModelNode } from './testing/model-node.js';
import type { TransactionStore } from './transaction-store.js';

const from = `0x${'a1'.repeat(20)}`;
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A pipeline whose first look at what is unfinished ends as told. @returns it, and what it asked the store for, in order */
function aPipeline(firstLook: () => Promise<[]>): { pipeline: SignerPipeline; asked: string[] } {
  const asked: string[] = [];
  const ledger = new ModelLedger().store(() => true);
  const store = overlaid<TransactionStore>(ledger, {
    listUnfinished: (...given) => {
      // Of which nonce is missing.
      if (given[3] === 1) return ledger.listUnfinished(...given);
      asked.push('unfinished');
      return asked.length === 1 ? firstLook() : ledger.listUnfinished(...given);
    },
    listWished: (...given) => {
      asked.push('wished');
      return ledger.listWished(...given);
    },
  });
  const rpc = new ModelNode(from, [], () => undefined).rpc(() => true);
  const explain = () => Promise.resolve(undefined);
  const stop = new AbortController();
  const fee = { max: 1n, tip: 1n };
  const pipeline = new SignerPipeline({
    ...{ rpc, store, log: silent, window: 8, perSecond: undefined, raiseAfterBlocks: 3, resendAfterMs: 60_000 },
    signer: { name: 'a', address: from, signTransaction: () => Promise.reject(new Error('Nothing is sent here')) },
    blocks: new MinedBlocks({ rpc, log: silent, pollMs: 5 }),
    fees: { current: () => Promise.resolve(fee), raise: () => fee },
    outcomes: new Outcomes({ rpc, store, log: silent, explain }),
    onChange: () => undefined,
    signal: stop.signal,
  });
  const ended = pipeline.run();
  stops.push(async () => {
    stop.abort();
    await ended;
  });
  return { pipeline, asked };
}

describe('a signer that is told of more', () => {
  it('given a look under way, when something is accepted, then it looks once more before anything else', async () => {
    let answer: (none: []) => void = () => undefined;
    const { pipeline, asked } = aPipeline(() => new Promise((resolve) => (answer = resolve)));
    await until(() => asked.length === 1, 'the first look');

    pipeline.wake();
    answer([]);
    await until(() => asked.length > 1, 'what comes next');

    expect(asked[1]).toBe('unfinished');
  });

  it('given a look that failed, when it goes on, then it looks once more before anything else', async () => {
    const { asked } = aPipeline(() => Promise.reject(new PatchbayError('store.unavailable')));

    await until(() => asked.length > 1, 'what comes next');

    expect(asked[1]).toBe('unfinished');
  });
});
