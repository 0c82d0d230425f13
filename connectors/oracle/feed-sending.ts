import {
  encodeCall,
  hashOf,
  selectorOf,
  sendAndWait,
  signatureOf,
  signerSource,
  transactionStore,
  waitUntil,
  type Abi,
  type AbiFragment,
  type Network,
  type TransactionRecord,
} from '#evm';
import { PatchbayError, z, type UseService } from '#sdk';
import type { OracleClient } from './oracle.client.js';

export const waitInput = z.enum(['mined', 'confirmed']).default('confirmed').meta({
  title: 'Wait until',
  description: 'mined: it has succeeded in a block. confirmed: it has the confirmations of the network.',
});

export const sentOutput = {
  /** Its id in this hub, when something was sent. */
  transaction: z.string().optional(),
  transactionHash: z.string().optional(),
  blockNumber: z.number().optional(),
};

/** One step that tells a contract something, at most once. */
export interface Telling {
  readonly network: Network;
  readonly use: UseService;
  readonly idempotencyKey: string;
  /** Name of the signer. */
  readonly from: string;
  /** Lower case. */
  readonly sender: string;
  readonly address: string;
  readonly flow: string;
  readonly wait: 'mined' | 'confirmed';
  readonly signal: AbortSignal;
}

export interface TellingCall {
  readonly fragment: AbiFragment;
  readonly args: readonly string[];
  readonly errors: Abi;
  readonly extraGas: bigint;
  /** As it was named. */
  readonly contract: string;
}

/** Name and address of who sends. @throws connection.invalid, evm.unknownSigner */
export async function senderOf(
  from: string | undefined,
  client: OracleClient | undefined,
  use: UseService,
): Promise<{ readonly from: string; readonly sender: string }> {
  const name = from ?? client?.settings.signer;
  if (name === undefined) {
    throw new PatchbayError('connection.invalid', {
      detail: 'Nothing says who signs',
      fix: 'Add from: with the name of a signer to the step, or signer: to its connection.',
    });
  }
  return { from: name, sender: (await use(signerSource).get(name)).address };
}

/** What this step has sent before, by the key that each of its attempts has. */
export async function findSent({ use, idempotencyKey }: Telling): Promise<TransactionRecord | undefined> {
  return await use(transactionStore).findByKey(idempotencyKey);
}

const mostPending = 1_000;

/** What another run has sent of the same kind, and is on its way yet. */
export async function findPending(
  { network, use, sender, address }: Telling,
  fragment: AbiFragment,
): Promise<TransactionRecord | undefined> {
  const unfinished = await use(transactionStore).listUnfinished(network.chainId, sender, -1, mostPending);
  const selector = selectorOf(fragment);
  // Mined already, it shows in what the contract says.
  return unfinished.find(({ to, data, status }) => to === address && data.startsWith(selector) && status !== 'mined');
}

/** Resolves when it is as far as the step waits for. @throws evm.pending, evm.reverted … */
export async function tell(telling: Telling, call: TellingCall): Promise<TransactionRecord> {
  const { network, from, address, flow, idempotencyKey, wait, signal } = telling;
  const { fragment, args, errors, extraGas, contract } = call;
  const request = {
    signer: from,
    to: address,
    data: encodeCall(fragment, args),
    value: 0n,
    abi: errors,
    about: { contract, function: signatureOf(fragment), args },
    origin: `flow:${flow}`,
  };
  const gasLimit =
    extraGas === 0n ? undefined : withReserve((await network.transactions.simulate(request)).gas) + extraGas;
  return await sendAndWait(
    network,
    {
      ...request,
      idempotencyKey,
      finality: network.finalityOf(undefined),
      ...(gasLimit !== undefined && { gasLimit }),
    },
    { wait, signal },
  );
}

/** Goes on waiting for what an earlier attempt has sent. */
export async function follow({ network, wait, signal }: Telling, sent: TransactionRecord): Promise<TransactionRecord> {
  return await waitUntil(network, sent, { wait, signal });
}

export function describeSent(record: TransactionRecord): {
  transaction: string;
  transactionHash?: string;
  blockNumber?: number;
} {
  const hash = hashOf(record);
  return {
    transaction: record.id,
    ...(hash !== undefined && { transactionHash: hash }),
    ...(record.place && { blockNumber: record.place.blockNumber }),
  };
}

/** As estimates are raised everywhere. */
function withReserve(gas: bigint): bigint {
  return gas + gas / 5n;
}
