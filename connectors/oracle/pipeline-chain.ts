import {
  asRevert,
  decodeCall,
  encodeCall,
  hashOf,
  networkDirectory,
  signatureOf,
  signerSource,
  transactionStore,
  waitUntil,
  type Network,
  type Signer,
  type TransactionRecord,
} from '#evm';
import { PatchbayError } from '#sdk';
import { parseDecimal } from './decimal.js';
import { forward, fulfillOracleRequest, fulfillOracleRequest2 } from './operator-abi.js';
import type { PortsOptions } from './pipeline-ports.js';
import type { ChainCall, ChainPort, ChainTransaction } from './pipeline/ports.js';
import { mapOf, type ValueMap } from './pipeline/value.js';
import { findSent, type AnsweredRequest } from './sent-answer.js';

interface Answering extends AnsweredRequest {
  /** Of the entry that is called, for lists and people. */
  readonly signature: string;
}

/** What nodes give a transaction that says nothing else; an answer is never estimated. */
const usualGasLimit = 500_000n;

/** Contracts that are asked, and transactions that are sent once. */
export function createChainPort(options: PortsOptions): ChainPort {
  return {
    async call(call, signal) {
      const { rpc } = await networkOf(options, call.chainId);
      try {
        return await rpc.request<string>('eth_call', [rpcCall(call), call.block], signal);
      } catch (error) {
        throw asRevert(error, []) ?? error;
      }
    },
    async estimate(call, signal) {
      const { rpc } = await networkOf(options, call.chainId);
      return BigInt(await rpc.request<string>('eth_estimateGas', [rpcCall(call), call.block], signal));
    },
    send: (transaction, signal) => send(options, transaction, signal),
  };
}

async function networkOf({ client, use }: PortsOptions, chainId: string | undefined): Promise<Network> {
  return chainId === undefined ? await client.network() : await use(networkDirectory).byChainId(Number(chainId));
}

function rpcCall({ to, data, from, gas }: ChainCall): Record<string, string> {
  return {
    to,
    data,
    ...(from !== undefined && { from }),
    ...(gas !== undefined && { gas: `0x${BigInt(gas).toString(16)}` }),
  };
}

async function send(options: PortsOptions, wanted: ChainTransaction, signal: AbortSignal): Promise<ValueMap> {
  const network = await networkOf(options, wanted.chainId);
  const request = answeredBy(wanted, network.chainId);
  const { key, sent } = request
    ? await findSent(options.use(transactionStore), request)
    : { key: `${options.idempotencyKey}:${wanted.task}`, sent: undefined };
  const record = sent ?? (await submit(options, network, wanted, { key, request }, signal));
  try {
    const wait = wanted.confirmations === 0 ? 'accepted' : 'confirmed';
    return resultOf(await waitUntil(network, record, { wait, signal }));
  } catch (error) {
    if (wanted.failsOnRevert || !(error instanceof PatchbayError) || error.code !== 'evm.reverted') throw error;
    return mapOf([
      ['transaction', record.id],
      ['status', 'reverted'],
    ]);
  }
}

async function submit(
  options: PortsOptions,
  network: Network,
  wanted: ChainTransaction,
  { key, request }: { readonly key: string; readonly request: Answering | undefined },
  signal: AbortSignal,
): Promise<TransactionRecord> {
  const { client, flow } = options;
  const signer = await signerOf(options, wanted);
  const { to, data } = throughForwarder(options, wanted, request);
  const gasLimit = gasLimitOf(wanted, request);
  // An answer that the contract refuses would cost its whole gas.
  if (request) await assertTaken(network, { from: signer.address, to, data, gas: gasLimit!.toString() }, signal);
  return await network.transactions.submit({
    idempotencyKey: key,
    signer: signer.name,
    to,
    data,
    value: 0n,
    ...(gasLimit !== undefined && { gasLimit }),
    finality: network.finalityOf(wanted.confirmations || client.settings.confirmations),
    ...(request && {
      about: { contract: request.oracle, function: request.signature, args: { requestId: request.id } },
    }),
    origin: `flow:${flow}`,
  });
}

/** Keys of the node that the job comes from need not be known here: then the connection says who signs. */
async function signerOf({ client, use, from }: PortsOptions, wanted: ChainTransaction): Promise<Signer> {
  const source = use(signerSource);
  if (from !== undefined) return await source.get(from);
  for (const address of wanted.from) {
    try {
      return await source.get(address);
    } catch (error) {
      if (!(error instanceof PatchbayError) || error.code !== 'evm.unknownSigner') throw error;
    }
  }
  return await source.get(client.signer());
}

function gasLimitOf({ gasLimit }: ChainTransaction, request: AnsweredRequest | undefined): bigint | undefined {
  if (gasLimit !== undefined) return BigInt(gasLimit);
  return request ? usualGasLimit : undefined;
}

const answers = [fulfillOracleRequest, fulfillOracleRequest2];

/** The request that a transaction answers. Its transaction has the key of the request, whatever sends it. */
function answeredBy({ to, data }: Pick<ChainTransaction, 'to' | 'data'>, chainId: number): Answering | undefined {
  const direct = decodeCall(answers, data);
  if (direct) {
    const { requestId, expiration } = direct.args;
    const signature = signatureOf(direct.fragment);
    return { chainId, oracle: to, id: String(requestId), expiration: String(expiration), signature };
  }
  const passedOn = decodeCall([forward], data)?.args;
  return passedOn && answeredBy({ to: String(passedOn['to']), data: String(passedOn['data']) }, chainId);
}

/** Where the operator lets answers pass through a forwarder, the contract only takes them from it. */
function throughForwarder(
  { client }: PortsOptions,
  { to, data }: ChainTransaction,
  request: AnsweredRequest | undefined,
): { readonly to: string; readonly data: string } {
  const { forwarder } = client.settings;
  if (forwarder === undefined || request?.oracle !== to) return { to, data };
  return { to: forwarder, data: encodeCall(forward, { to, data }) };
}

async function assertTaken(
  { rpc }: Network,
  call: { readonly from: string; readonly to: string; readonly data: string; readonly gas: string },
  signal: AbortSignal,
): Promise<void> {
  try {
    await rpc.request('eth_call', [rpcCall({ ...call, chainId: undefined }), 'latest'], signal);
  } catch (error) {
    const revert = asRevert(error, []);
    if (!revert) throw error;
    throw new PatchbayError('evm.reverted', {
      detail: `${call.to} would refuse the answer: ${revert.detail}`,
      fix: /valid requestId/i.test(revert.detail)
        ? 'The request was answered or cancelled: nothing is left to do.'
        : 'Check that the signer is an authorised sender, and the gas limit.',
      cause: revert,
    });
  }
}

function resultOf(record: TransactionRecord): ValueMap {
  const { id, status, place } = record;
  const hash = hashOf(record);
  return mapOf([
    ['transaction', id],
    ['status', status],
    ...(hash === undefined ? [] : [['transactionHash', hash] as const]),
    ...(place
      ? [['blockNumber', parseDecimal(place.blockNumber)] as const, ['gasUsed', parseDecimal(place.gasUsed)] as const]
      : []),
  ]);
}
