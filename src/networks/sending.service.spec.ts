import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { silent } from '../evm/testing/heard-logs.js';
import { SendingService } from './sending.service.js';

afterEach(() => {
  jest.useRealTimers();
});

describe('sending on every network', () => {
  it('given a network that cannot be opened, and one that is opened anew, when it is looked again, then both send', async () => {
    jest.useFakeTimers();
    const sending: string[] = [];
    const aNetwork = (name: string) => ({ startSending: () => void sending.push(name) });
    let open: Record<string, ReturnType<typeof aNetwork>> = { first: aNetwork('first') };
    const service = new SendingService(
      {
        list: () => [{ name: 'first' }, { name: 'second' }],
        get: (name) => {
          const network = open[name];
          return network ? Promise.resolve(network) : Promise.reject(new PatchbayError('evm.rpc'));
        },
      },
      silent,
    );
    service.start();
    await jest.advanceTimersByTimeAsync(0);
    expect(sending).toEqual(['first']);

    open = { first: aNetwork('first with other settings'), second: aNetwork('second') };
    await jest.advanceTimersByTimeAsync(10_000);
    service.stop();

    expect(sending).toEqual(['first', 'first with other settings', 'second']);
  });
});
