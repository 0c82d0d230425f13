import { Network } from '#evm';
import { defineConnection, finalityInput, z } from '#sdk';

const nodeUrl = z.url({ protocol: /^https?$/ });
const gwei = z.number().min(0).max(1_000_000);

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
    finality: finalityInput()
      .optional()
      .meta({
        title: 'Finality',
        description:
          'What is final here, and flows that move value wait for: blocks on top, safe or finalized. Default: finalized; on development chains the confirmations.',
        examples: ['finalized', 0],
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
    requestsPerSecond: z.number().min(1).max(100_000).optional().meta({
      title: 'Requests per second',
      description:
        'Calls to each node at most, each of a batch counted; those beyond it wait in one line. Default: as many as the node takes.',
    }),
    transactions: z
      .strictObject({
        window: z.number().int().min(1).max(100_000).optional().meta({
          title: 'Window',
          description: 'Transactions of one signer on their way at once. Default: 64; 4,096 on development chains.',
        }),
        perSecond: z.number().positive().max(100_000).optional().meta({
          title: 'Per second',
          description: 'Transactions of one signer per second at most. Default: no limit.',
        }),
      })
      .optional()
      .meta({ title: 'Transactions' }),
    fees: z
      .strictObject({
        mode: z.enum(['eip1559', 'legacy', 'free']).optional().meta({
          title: 'Mode',
          description:
            'With base fee and tip, with a gas price, or for nothing. Default: what the node shows; patchbay doctor names it.',
        }),
        maxGwei: gwei.optional().meta({
          title: 'Cap in gwei',
          description: 'No offer and no raise goes above this price per gas; what needs more waits. Default: no cap.',
        }),
        tipGwei: gwei.optional().meta({ title: 'Tip in gwei', description: 'Default: what the node suggests.' }),
        raisePercent: z.number().min(12.5).max(1_000).optional().meta({
          title: 'Raise in percent',
          description:
            'How much more is offered when a transaction waits too long. Default: 12.5, the least that nodes take.',
        }),
        multiplier: z.number().min(1).max(100).optional().meta({
          title: 'Multiplier',
          description: 'Of the base fee, by default 2; of the gas price on chains without base fees, by default 1.',
        }),
      })
      .optional()
      .meta({ title: 'Fees' }),
  }),
  async open({ rpcUrl, wsUrl, ...settings }, { name, http, log, use }) {
    const rpcUrls = typeof rpcUrl === 'string' ? [rpcUrl] : rpcUrl;
    for (const url of rpcUrls) await http.assertAllowed(url);
    if (wsUrl !== undefined) await http.assertAllowed(wsUrl.replace(/^ws/, 'http'));
    const { chainId, confirmations, finality, revertedAfter, addressBook, blockTimeMs } = settings;
    const { requestsPerSecond, transactions } = settings;
    const { maxGwei, tipGwei, ...fees } = settings.fees ?? {};
    return new Network(
      {
        name,
        rpcUrls,
        wsUrl,
        chainId,
        confirmations,
        finality,
        revertedAfter,
        addressBook,
        blockTimeMs,
        requestsPerSecond,
        transactions,
        fees: { ...fees, max: weiOf(maxGwei), tip: weiOf(tipGwei) },
      },
      { http, log, use },
    );
  },
  close: (client) => client.close(),
  async test(client, signal) {
    await client.rpc.request('eth_blockNumber', [], signal);
  },
});

function weiOf(gweis: number | undefined): bigint | undefined {
  return gweis === undefined ? undefined : BigInt(Math.round(gweis * 1e9));
}
