import {
  currentFee,
  feeMode,
  finalizedFallback,
  findBlock,
  formatUnits,
  type BlockHeader,
  type Network,
  type NodeTraits,
} from '#evm';
import { z } from '#sdk';

export const networkStatusAnswer = z.object({
  name: z.string(),
  chainId: z.number().int(),
  client: z.string().meta({ description: 'As the node calls itself; empty when it does not say' }),
  nodes: z.number().int().meta({ description: 'Addresses that are asked' }),
  head: z.object({
    number: z.number().int(),
    hash: z.string(),
    time: z.iso.datetime(),
    ageSeconds: z.number().int(),
  }),
  can: z
    .object({
      blockReceipts: z.boolean(),
      baseFee: z.boolean(),
      tipSuggestion: z.boolean(),
      finalizedTag: z.boolean(),
      safeTag: z.boolean(),
      zeroGasPrice: z.boolean(),
      batch: z.boolean(),
    })
    .meta({ description: 'What the node has shown when it was asked' }),
  uses: z
    .object({
      receipts: z.enum(['byBlock', 'byTransaction']),
      requests: z.enum(['batched', 'single']),
      fees: z.enum(['eip1559', 'legacy', 'free']),
      finalized: z.enum(['tag', 'blocksOnTop']),
      safe: z.enum(['tag', 'blocksOnTop']),
      blocksOnTop: z.number().int().meta({ description: 'Counted where the chain does not say what is final' }),
      confirmations: z.number().int(),
      finality: z
        .string()
        .meta({ description: 'What flows that move value wait for: blocks on top, safe or finalized' }),
    })
    .meta({ description: 'What follows from it and from the settings' }),
  hints: z.array(z.object({ detail: z.string(), fix: z.string().optional() })),
});

export type NetworkStatus = z.infer<typeof networkStatusAnswer>;
type Hint = NetworkStatus['hints'][number];

/** Long enough that several questions of one visit to the doctor are asked once. */
const freshMs = 5_000;
const oldHeadSeconds = 180;
/** Their chains usually run QBFT, IBFT or Raft, where a block is final at once. */
const privateClients = /besu|quorum/i;

/** What the node of a network can do and what Patchbay makes of it, as of now. @throws evm.rpc, evm.rpcThrottled, evm.wrongChain */
export async function readNetworkStatus(network: Network): Promise<NetworkStatus> {
  const { name, chainId, rpc, fees, finality } = network;
  const traits = await rpc.traits({ freshMs });
  const head = await rpc.pass((node) => findBlock(node, 'latest'));
  const { client, ...can } = traits;
  const time = new Date((head?.timestamp ?? 0) * 1_000);
  return {
    name,
    chainId,
    client,
    nodes: rpc.size,
    head: {
      number: head?.number ?? 0,
      hash: head?.hash ?? '',
      time: time.toISOString(),
      ageSeconds: ageSeconds(head),
    },
    can,
    uses: {
      receipts: traits.blockReceipts ? 'byBlock' : 'byTransaction',
      requests: traits.batch ? 'batched' : 'single',
      fees: feeMode(traits, fees),
      finalized: traits.finalizedTag ? 'tag' : 'blocksOnTop',
      safe: traits.safeTag ? 'tag' : 'blocksOnTop',
      blocksOnTop: finalizedFallback,
      confirmations: finality,
      finality: String(network.finalityOf(undefined, { movesValue: true })),
    },
    hints: [...hintsOfNode(traits), ...hintsOfChain(network, traits, head), ...(await hintsOfFees(network, traits))],
  };
}

function hintsOfNode({ batch, blockReceipts }: NodeTraits): Hint[] {
  if (batch) return [];
  return [
    {
      detail: blockReceipts
        ? 'The node takes no batches: each transaction is sent with a request of its own.'
        : 'The node takes no batches and gives no receipts by block: each transaction and each receipt is a request of its own.',
      fix: 'Allow batches on the node, or on the proxy before it.',
    },
  ];
}

function hintsOfChain(network: Network, traits: NodeTraits, head: BlockHeader | undefined): Hint[] {
  const hints: Hint[] = [];
  const { name, rpc, isDevelopment, finality } = network;
  if (!isDevelopment && rpc.size === 1) {
    hints.push({
      detail: `All of ${name} hangs on one node.`,
      fix: 'Add another address to rpcUrl.',
    });
  }
  if (!isDevelopment && !traits.finalizedTag) {
    const isInstant = privateClients.test(traits.client) && finality > 0;
    hints.push({
      detail: `The node does not say what is final: ${String(finalizedFallback)} blocks on top are counted instead.`,
      fix: isInstant
        ? 'Where blocks are final at once (QBFT, IBFT, Raft), set confirmations: 0 and finality: 0.'
        : 'Give flows a number of confirmations that suits the chain.',
    });
  }
  const age = ageSeconds(head);
  if (!isDevelopment && age > oldHeadSeconds) {
    hints.push({
      detail: `The newest block is ${String(age)} seconds old.`,
      fix: 'This is well where blocks come only with transactions; elsewhere the node lags, or the chain stands still.',
    });
  }
  return hints;
}

async function hintsOfFees({ rpc, fees }: Network, traits: NodeTraits): Promise<Hint[]> {
  if (fees.mode === 'free' && !traits.zeroGasPrice) {
    return [
      { detail: 'Transactions offer nothing, but the node names a gas price above zero.', fix: 'Remove fees.mode.' },
    ];
  }
  if (fees.mode === 'eip1559' && !traits.baseFee) {
    return [{ detail: 'Blocks have no base fee: transactions offer a gas price.', fix: 'Remove fees.mode.' }];
  }
  if (fees.max === undefined) return [];
  const now = await currentFee(rpc, traits, { ...fees, max: undefined });
  if (now.max <= fees.max) return [];
  return [
    {
      detail: `A transaction would offer ${formatUnits(now.max, 9)} gwei now, which the cap of ${formatUnits(fees.max, 9)} gwei does not allow.`,
      fix: 'Raise fees.maxGwei, or wait until gas is cheaper.',
    },
  ];
}

function ageSeconds(head: BlockHeader | undefined): number {
  return head ? Math.max(0, Math.round(Date.now() / 1_000) - head.timestamp) : 0;
}
