import { hashOf, signerSource, transactionStore, waitUntil, type Network, type TransactionRecord } from '#evm';
import { PatchbayError, amount, defineAction, z } from '#sdk';
import { isAnswerType, type AnswerPart } from './answer.js';
import { oracle } from './connection.js';
import { roundings } from './decimal.js';
import {
  answerableRequest,
  leastCallbackGas,
  prepareFulfilment,
  type AnswerableRequest,
  type Fulfilment,
} from './fulfilment.js';
import type { OracleClient, OracleContract } from './oracle.client.js';
import { RequestStates } from './request-state.js';
import { findSent } from './sent-answer.js';

const type = z
  .string()
  .refine(isAnswerType, 'must be uint8 to uint256, int8 to int256, bytes1 to bytes32, bool, address, string or bytes')
  .meta({ title: 'Type', description: 'As the callback declares it.', examples: ['uint256', 'bytes32', 'string'] });
const value = z.unknown().meta({
  title: 'Value',
  description: 'Numbers as decimal text of any size, text for bytes32 up to 32 bytes, bytes as 0x text.',
  examples: ['{{steps.price.body.usd}}'],
});
const times = z
  .union([z.string(), z.number()])
  .nullish()
  .meta({
    title: 'Times',
    description: 'A number is multiplied by it first.',
    examples: ['{{event.params.times}}', 100],
  });
const rounding = z.enum(roundings).default('truncate').meta({
  title: 'Rounding',
  description: 'What becomes of a fraction. truncate cuts it off, as Chainlink nodes do.',
});
const values = z.array(z.strictObject({ type, value, times, rounding })).min(1).max(64);
const gas = amount().refine((text) => BigInt(text) >= 0n && BigInt(text) <= 1_000_000_000n, 'must be an amount of gas');

const input = z
  .strictObject({
    request: answerableRequest.meta({ title: 'Request', examples: ['{{event.request}}'] }),
    type: type.optional(),
    value: value.optional(),
    times,
    rounding,
    values: values.optional().meta({
      title: 'Values',
      description: 'Instead of one value: those that the callback takes after the id of the request.',
    }),
    gasLimit: gas
      .refine((text) => BigInt(text) > leastCallbackGas, 'must be more than the 400000 that the contract wants')
      .optional()
      .meta({ title: 'Gas limit', description: 'Of the whole transaction. Default: 500,000, more for long answers.' }),
    callbackGas: gas
      .optional()
      .meta({ title: 'Callback gas', description: 'Instead of a limit: what the callback may use.' }),
    onCallbackFailure: z.enum(['answer', 'hold', 'skip']).default('answer').meta({
      title: 'On callback failure',
      description:
        'When the callback would fail. answer: it is answered all the same, which earns the payment. hold: the run becomes a dead letter. skip: the run ends without an answer.',
    }),
    answerAfterExpiry: z.boolean().default(false).meta({
      title: 'Answer after expiry',
      description: 'Also when the requester may cancel it already, five minutes after it has asked.',
    }),
    wait: z.enum(['mined', 'confirmed']).default('confirmed').meta({
      title: 'Wait until',
      description: 'mined: the answer is in a block. confirmed: it has the confirmations of the network.',
    }),
  })
  .refine((given) => (given.values === undefined) !== (given.type === undefined), {
    message: 'Give either type and value, or values',
    path: ['values'],
  });

const outcomes = ['answered', 'callbackFailed', 'alreadyAnswered', 'cancelled', 'reorganised', 'skipped'] as const;

const output = z.object({
  /**
   * `callbackFailed`: the answer is on the chain, and the consumer did not take it. `reorganised`: the chain has dropped
   * the request. `alreadyAnswered`, by somebody else. The last four: nothing was sent.
   */
  outcome: z.enum(outcomes),
  /** Its id in this hub, where the hub has sent one. */
  transaction: z.string().optional(),
  transactionHash: z.string().optional(),
  blockNumber: z.number().optional(),
  /** What the callback gets. */
  answer: z.string(),
});

type Output = z.output<typeof output>;

export const fulfill = defineAction({
  title: 'Fulfil a request',
  summary: 'Answers a request on the chain, once, in the type that the callback of the consumer takes.',
  connection: oracle,
  input,
  output,
  examples: [
    {
      request: {
        id: `0x${'5e'.repeat(32)}`,
        oracle: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
        chainId: 31_337,
        payment: '100000000000000000',
        callbackAddress: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
        callbackFunctionId: '0x4357855e',
        expiration: '1790000000',
        dataVersion: 1,
        blockNumber: 12,
        transactionHash: `0x${'ab'.repeat(32)}`,
      },
      type: 'uint256',
      value: '3512.87',
      times: 100,
    },
  ],
  repeatable:
    'A request has one transaction, whichever run answers it and however often: its key is the request with its expiration. Before it is sent the contract is asked whether the request is still open.',
  movesValue: true,
  isReply: true,
  async run({ input, client, use, signal, flow }): Promise<Output> {
    const answering = await prepare(input, client, (name) => use(signerSource).get(name));
    const { network, fulfilment, states, request, contract } = answering;
    const { key, sent } = await findSent(use(transactionStore), request);
    if (sent) return await follow(answering, sent, () => waitUntil(network, sent, { wait: input.wait, signal }));

    const state = await states.find(request, contract.kind, fulfilment);
    if (state.kind !== 'open') return { outcome: state.kind, answer: fulfilment.answer };
    if (state.isExpired && !input.answerAfterExpiry) throw expired(request);
    if (state.fault !== undefined && input.onCallbackFailure === 'hold') throw held(request, state.fault);
    if (state.fault !== undefined && input.onCallbackFailure === 'skip') {
      return { outcome: 'skipped', answer: fulfilment.answer };
    }
    const { to, data, gasLimit, signature } = fulfilment;
    const accepted = await network.transactions.submit({
      idempotencyKey: key,
      signer: client.signer(),
      to,
      data,
      value: 0n,
      gasLimit,
      // However early requests are heard: an answer that a reorganisation drops is sent again until it is final.
      finality: network.finality,
      about: {
        contract: request.oracle,
        function: signature,
        args: { requestId: request.id, answer: fulfilment.answer },
      },
      origin: `flow:${flow}`,
    });
    return await follow(answering, accepted, () => waitUntil(network, accepted, { wait: input.wait, signal }));
  },
});

interface Answering {
  readonly network: Network;
  readonly contract: OracleContract;
  readonly request: AnswerableRequest;
  readonly fulfilment: Fulfilment;
  readonly states: RequestStates;
}

async function prepare(
  { request, type, value, times, rounding, values, ...gas }: z.output<typeof input>,
  client: OracleClient,
  getSigner: (name: string) => Promise<{ readonly address: string }>,
): Promise<Answering> {
  const [network, contract, signer] = await Promise.all([
    client.network(),
    client.contract(),
    getSigner(client.signer()),
  ]);
  assertServed(request, client, network, contract);
  const parts: readonly AnswerPart[] = values ?? [{ type: type!, value, times, rounding }];
  const fulfilment = prepareFulfilment({
    request,
    kind: contract.kind,
    parts,
    sender: signer.address,
    forwarder: client.settings.forwarder,
    gasLimit: gas.gasLimit === undefined ? undefined : BigInt(gas.gasLimit),
    callbackGas: gas.callbackGas === undefined ? undefined : BigInt(gas.callbackGas),
  });
  return { network, contract, request, fulfilment, states: new RequestStates(network) };
}

/** A request of another contract would be looked for, and not found, in this one. */
function assertServed(
  request: AnswerableRequest,
  client: OracleClient,
  network: Network,
  contract: OracleContract,
): void {
  if (request.oracle === contract.address && request.chainId === network.chainId) return;
  throw new PatchbayError('connection.invalid', {
    detail: `The request was made to ${request.oracle} on chain ${String(request.chainId)}, and the connection ${client.name} serves ${contract.address} on chain ${String(network.chainId)}.`,
    fix: 'Name the same connection in the trigger and in the step.',
  });
}

/** From what was sent to its end. */
async function follow(
  { states, request, contract, fulfilment }: Answering,
  sent: TransactionRecord,
  wait: () => Promise<TransactionRecord>,
): Promise<Output> {
  const { answer } = fulfilment;
  const record = await wait().catch(async (error: unknown) => {
    if (!(error instanceof PatchbayError) || error.code !== 'evm.reverted') throw error;
    // Somebody else was faster, or the chain has changed: then nothing is wrong with the answer.
    const state = await states.find(request, contract.kind, fulfilment);
    if (state.kind === 'open') throw error;
    return state.kind;
  });
  if (typeof record === 'string') return { outcome: record, answer };
  const { id, place } = record;
  const hash = hashOf(record);
  const about = {
    transaction: id,
    ...(hash !== undefined && { transactionHash: hash }),
    ...(place && { blockNumber: place.blockNumber }),
    answer,
  };
  if (sent.data !== fulfilment.data) return { outcome: 'alreadyAnswered', ...about };
  const isCalledBack = place === undefined || (await states.isCalledBack(request, fulfilment, place));
  return { outcome: isCalledBack ? 'answered' : 'callbackFailed', ...about };
}

function expired({ id, expiration }: AnswerableRequest): PatchbayError {
  const since = new Date(Number(expiration) * 1_000).toISOString();
  return new PatchbayError('oracle.expired', {
    detail: `The request ${id} may be cancelled since ${since}, so that it was not answered`,
    fix: 'With answerAfterExpiry: true such requests are answered as long as nobody has cancelled them.',
  });
}

function held({ id, callbackAddress }: AnswerableRequest, fault: string): PatchbayError {
  return new PatchbayError('oracle.callback', {
    detail: `The request ${id} was not answered, because the callback of ${callbackAddress} would fail: ${fault}`,
    fix: 'Retry it when the consumer is well again, or give the callback more gas.',
  });
}
