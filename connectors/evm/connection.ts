import { Network } from '#evm';
import { defineConnection, z } from '#sdk';

const nodeUrl = z.url({ protocol: /^https?$/ });

export const network = defineConnection({
  title: 'EVM network',
  summary: 'One chain behind one or several nodes.',
  settings: z.strictObject({
    rpcUrl: z.union([nodeUrl, z.array(nodeUrl).min(1).max(10)]).meta({
      title: 'Node',
      description: 'One address, or several to fall back on.',
      examples: ['http://127.0.0.1:8545'],
    }),
    wsUrl: z
      .url({ protocol: /^wss?$/ })
      .optional()
      .meta({ title: 'Websocket', description: 'Announces new blocks, which makes events arrive sooner.' }),
    chainId: z
      .number()
      .int()
      .positive()
      .meta({ title: 'Chain id', examples: [1, 31_337] }),
    confirmations: z.number().int().min(0).max(10_000).optional().meta({
      title: 'Confirmations',
      description: 'Blocks on top before something counts. Default: 12; 0 on development chains.',
    }),
    revertedAfter: z.number().int().min(0).max(10_000).optional().meta({
      title: 'Reverted after',
      description:
        'Blocks after a reorganisation at which an event that was not mined again is gone for good. Default: the confirmations, at least 12.',
    }),
    addressBook: z.string().optional().meta({
      title: 'Address book',
      description: 'YAML file with names for contracts. Default: contracts/addresses/<network>.yaml',
    }),
    blockTimeMs: z
      .number()
      .int()
      .positive()
      .optional()
      .meta({ title: 'Block time in ms', description: 'Measured when it is not given.' }),
  }),
  async open({ rpcUrl, wsUrl, ...settings }, { name, http, log, use }) {
    const rpcUrls = typeof rpcUrl === 'string' ? [rpcUrl] : rpcUrl;
    for (const url of rpcUrls) await http.assertAllowed(url);
    if (wsUrl !== undefined) await http.assertAllowed(wsUrl.replace(/^ws/, 'http'));
    const { chainId, confirmations, revertedAfter, addressBook, blockTimeMs } = settings;
    return new Network(
      { name, rpcUrls, wsUrl, chainId, confirmations, revertedAfter, addressBook, blockTimeMs },
      { http, log, use },
    );
  },
  close: (client) => client.close(),
  async test(client, signal) {
    await client.rpc.request('eth_blockNumber', [], signal);
  },
});
