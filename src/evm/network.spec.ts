import { afterEach, describe, expect, it } from '@jest/globals';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { HttpClient } from '#sdk';
import { Network, type NetworkSettings } from './network.js';
import type { Finality } from './subscription.js';
import { silent } from './testing/heard-logs.js';

const agents = { http: new HttpAgent(), https: new HttpsAgent() };
const http: HttpClient = {
  request: () => Promise.reject(new Error('not used')),
  agents,
  assertAllowed: () => Promise.resolve(),
};
const opened: Network[] = [];

afterEach(async () => {
  for (const network of opened.splice(0)) await network.close();
});

function aNetwork(settings: Partial<NetworkSettings>): Network {
  const network = new Network(
    {
      name: 'main',
      rpcUrls: ['http://127.0.0.1:1'],
      wsUrl: undefined,
      chainId: 1,
      confirmations: undefined,
      revertedAfter: undefined,
      addressBook: undefined,
      blockTimeMs: undefined,
      ...settings,
    },
    {
      http,
      log: silent,
      use: () => {
        throw new Error('No service is lent here');
      },
    },
  );
  opened.push(network);
  return network;
}

describe('how long to wait on a network', () => {
  it.each<[settings: Partial<NetworkSettings>, asked: Finality | undefined, usual: Finality, ofValue: Finality]>([
    [{}, undefined, 12, 'finalized'],
    [{}, 3, 3, 3],
    [{ confirmations: 5 }, undefined, 5, 'finalized'],
    [{ confirmations: 5, finality: 'finalized' }, undefined, 5, 'finalized'],
    [{ finality: 0 }, undefined, 12, 0],
    [{ finality: 'finalized' }, 0, 0, 0],
    [{ chainId: 31_337 }, undefined, 0, 0],
    [{ chainId: 31_337, confirmations: 1 }, undefined, 1, 1],
    [{ chainId: 31_337, finality: 'finalized' }, undefined, 0, 'finalized'],
  ])('given %p and %p asked for, then it is %p, and %p where value is moved', (settings, asked, usual, ofValue) => {
    const network = aNetwork(settings);

    expect(network.finalityOf(asked)).toBe(usual);
    expect(network.finalityOf(asked, { movesValue: true })).toBe(ofValue);
  });

  it.each<[settings: Partial<NetworkSettings>, asked: Finality, isLess: boolean]>([
    [{}, 'finalized', false],
    [{}, 'safe', true],
    [{ confirmations: 5 }, 5, true],
    [{ confirmations: 5 }, 64, false],
    [{ confirmations: 5, finality: 5 }, 5, false],
    [{ finality: 5 }, 3, true],
    [{ finality: 'safe' }, 'safe', false],
    [{ chainId: 31_337 }, 0, false],
  ])('given %p and %p asked for, then that it is less than final is %p', (settings, asked, isLess) => {
    expect(aNetwork(settings).shortfall(asked) !== undefined).toBe(isLess);
  });
});

describe('a network that was opened anew', () => {
  it('given who still has the old one, when it is watched or begins to send, then the new one has to be asked for', async () => {
    const network = aNetwork({});
    await network.close();
    const isRefused = expect.objectContaining({ code: 'connection.refused', retry: 'later' });

    expect(() => network.watcher).toThrow(isRefused);
    expect(() => network.startSending()).toThrow(isRefused);
  });
});
