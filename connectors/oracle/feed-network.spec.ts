import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Network, networkDirectory, type NetworkDirectory } from '#evm';
import type { ServiceToken } from '#sdk';
import { DevChain, artefact } from '../../src/evm/testing/dev-chain.js';
import { FaultProxy, rpcResult } from '../../src/evm/testing/fault-proxy.js';
import { silent } from '../../src/evm/testing/heard-logs.js';
import { aHttpClient } from '../../test/builders/action-call.js';
import { deployContract, type Deployed } from '../../test/builders/deployed.js';
import { eventually } from '../../test/builders/eventually.js';
import { FeedListener } from '../../test/builders/feed-listener.js';
import { startFeedStage, type FeedStage } from '../../test/builders/feed-stage.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { publishFeed } from './publish-feed.action.js';

let stage: FeedStage;
let feed: Deployed;
let oldNode: FaultProxy;

beforeAll(async () => {
  stage = await startFeedStage();
  const { one } = stage.signers;
  feed = await deployContract(stage.chain, artefact('PriceFeed'), [8, 'ETH / USD', 0n, 10n ** 15n, 1, 1_000, [one]]);
  oldNode = await FaultProxy.start(stage.chain.url);
});

afterAll(async () => {
  await oldNode.stop();
  await stage.close();
});

const publish = (value: string) => stage.run(publishFeed, { contract: feed.address, from: 'one', value });

/** The network behind another node. */
function aNetworkBehind(url: string): Network {
  return new Network(
    {
      name: 'local',
      rpcUrls: [url],
      wsUrl: undefined,
      chainId: DevChain.chainId,
      confirmations: 0,
      revertedAfter: undefined,
      addressBook: undefined,
      blockTimeMs: undefined,
    },
    { http: aHttpClient(), log: silent, use: stage.use },
  );
}

/** Answers as ever, and hears of no block any more. */
async function standStill(node: FaultProxy): Promise<void> {
  const head = await stage.chain.call<{ number: string }>('eth_getBlockByNumber', ['latest', false]);
  node.fault = async (call, forward) => {
    if (call.method === 'eth_blockNumber') return rpcResult(call, head.number);
    const isHead = call.method === 'eth_getBlockByNumber' && call.params[0] === 'latest';
    return isHead ? rpcResult(call, head) : await forward();
  };
}

describe('oracle.feedUpdated', () => {
  it.each([{}, { poll: '20ms' }])(
    'given %p, when its network is changed to another node, then answers are heard by that one',
    async (how) => {
      const before = aNetworkBehind(oldNode.url);
      let network = before;
      const networks: NetworkDirectory = {
        get: () => Promise.resolve(network),
        byChainId: () => Promise.resolve(network),
      };
      const use = <T>(token: ServiceToken<T>): T =>
        token.name === networkDirectory.name ? (networks as T) : stage.use(token);
      const listener = new FeedListener(overlaid(stage, { use }));
      try {
        await listener.begin(feed.address, how);
        await publish('2');
        await eventually(() => listener.heard.at(-1)?.event.answer === '2');

        await standStill(oldNode);
        network = stage.network;
        await before.close();
        await publish('3');

        await eventually(() => listener.heard.at(-1)?.event.answer === '3', { what: 'The answer by the new node' });
      } finally {
        await listener.close();
        oldNode.fault = undefined;
      }
    },
  );
});
