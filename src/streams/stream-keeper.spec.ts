import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { StreamKeeper, type KeeperParts } from './stream-keeper.js';
import type { StoredStream } from './streams.store.js';

describe('a stream that fails', () => {
  it('given it is changed while it fails, when it has failed, then the changed one is tried at once', async () => {
    const tried: ((error: Error) => void)[] = [];
    // Only what is used before a stream is pumped.
    const parts = {
      store: { definition: () => new Promise((_, reject) => tried.push(reject)) },
      leases: { acquire: async () => ({ epoch: '1', release: async () => undefined }) },
      positions: { fail: async () => undefined },
      log: { warn: () => undefined },
    } as unknown as KeeperParts;
    const keeper = new StreamKeeper(aStream('1'), { consumer: '', openTarget: () => unopened() }, parts);
    await nextTurn();
    expect(tried).toHaveLength(1);

    keeper.update(aStream('2'));
    tried[0]!(new Error('The node is away'));
    await nextTurn();

    expect(tried).toHaveLength(2);
    const closed = keeper.close();
    tried[1]!(new Error('The node is away'));
    await closed;
  });
});

function aStream(version: string): StoredStream {
  return {
    id: '0d0c3e6a-5b1f-4a52-9d6b-6f3d2f0f6d11',
    name: 'transfers',
    state: 'running',
    reason: null,
    document: {},
    createdBy: 'test',
    createdAt: new Date(0),
    updatedAt: new Date(0),
    version,
  };
}

function unopened(): never {
  throw new Error('Nothing is delivered');
}
