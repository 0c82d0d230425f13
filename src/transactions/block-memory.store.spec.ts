import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { crossing } from '../../test/builders/crossing.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { KyselyBlockMemory } from './block-memory.store.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

afterAll(() => store.close());

describe('the memory of blocks', () => {
  it('given two processes that read the same blocks, when one reads them from the newest back, then neither is a deadlock', async () => {
    const memory = new KyselyBlockMemory(store.db);
    const [low, high] = [
      { number: 1, hash: '0xa', parentHash: '0x' },
      { number: 2, hash: '0xb', parentHash: '0xa' },
    ] as const;
    const row = ({ number, hash, parentHash }: typeof low | typeof high) =>
      `insert into chain_block (chain_id, number, hash, parent_hash) values (1, ${number}, '${hash}', '${parentHash}')`;

    const failures = await crossing(store, {
      first: row(low),
      act: () => memory.save(1, [high, low], 0),
      second: row(high),
    });

    expect(failures).toEqual([]);
    expect((await memory.load(1)).toSorted((one, other) => one.number - other.number)).toEqual([low, high]);
  });
});
