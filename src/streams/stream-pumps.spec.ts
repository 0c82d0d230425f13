import { describe, expect, it } from '@jest/globals';
import { StreamPumps, type StreamPumpsParts } from './stream-pumps.js';

describe('a consumer that comes while the hub is stopped', () => {
  it('given its stream is still being looked up, when all others are closed, then it is refused', async () => {
    let find: (stream: object) => void = () => undefined;
    const found = new Promise((resolve) => (find = resolve));
    // Only what is used before a stream is kept going.
    const parts = {
      store: { find: () => found },
      leases: { acquire: () => Promise.resolve(undefined) },
    } as unknown as StreamPumpsParts;
    const pumps = new StreamPumps(parts);
    const attached = pumps.attach('orders', undefined, { deliver: () => Promise.resolve() });

    const stopped = pumps.stop();
    find({ id: 'id', name: 'orders', state: 'suspended', version: '1' });

    await expect(attached).rejects.toMatchObject({ code: 'hub.stopping' });
    await stopped;
  });
});
