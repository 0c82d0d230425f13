import { encodeCall, signatureOf } from '#evm';
import { PatchbayError, address, amount, z } from '#sdk';
import { encodeAnswer, isOneWord, type AnswerPart } from './answer.js';
import type { OracleContract } from './oracle.client.js';
import { forward, fulfillOracleRequest, fulfillOracleRequest2 } from './operator-abi.js';

const bytes = (size: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-fA-F]{${String(size * 2)}}$`), `must be 0x and ${String(size * 2)} digits`);

/** What must be known of a request to answer it; `oracle.request` gives it. */
export const answerableRequest = z.object({
  id: bytes(32),
  oracle: address(),
  chainId: z.number().int(),
  payment: amount(),
  callbackAddress: address(),
  callbackFunctionId: bytes(4),
  expiration: amount(),
  dataVersion: z.number().int(),
  blockNumber: z.number().int(),
  transactionHash: bytes(32),
});

export type AnswerableRequest = z.output<typeof answerableRequest>;

/** A call as a node simulates it. */
export interface SimulatedCall {
  readonly from: string;
  readonly to: string;
  readonly data: string;
  /** A quantity. */
  readonly gas: string;
}

export interface Fulfilment {
  readonly to: string;
  readonly data: string;
  readonly gasLimit: bigint;
  /** As the oracle contract sees it, from whom it sees it. */
  readonly call: SimulatedCall;
  /** As it is sent, where that is another call. */
  readonly forwarded: SimulatedCall | undefined;
  readonly signature: string;
  /** What the callback gets. */
  readonly answer: string;
}

export interface FulfilmentWish {
  readonly request: AnswerableRequest;
  readonly kind: OracleContract['kind'];
  readonly parts: readonly AnswerPart[];
  /** Address of the signer. */
  readonly sender: string;
  readonly forwarder: string | undefined;
  readonly gasLimit: bigint | undefined;
  readonly callbackGas: bigint | undefined;
}

/** @throws oracle.answer when a value does not fit its type, or the answer the contract */
export function prepareFulfilment(wish: FulfilmentWish): Fulfilment {
  const { request, kind, parts, sender, forwarder } = wish;
  const isWord = canBeWord(request, kind, parts);
  const fragment = isWord ? fulfillOracleRequest : fulfillOracleRequest2;
  const answer = isWord ? encodeAnswer(parts) : encodeAnswer(parts, request.id);
  const { id, payment, callbackAddress, callbackFunctionId, expiration } = request;
  const inner = encodeCall(fragment, [id, payment, callbackAddress, callbackFunctionId, expiration, answer]);
  const to = forwarder ?? request.oracle;
  const data = forwarder === undefined ? inner : encodeCall(forward, { to: request.oracle, data: inner });
  const gasLimit =
    wish.gasLimit ?? gasFor({ data, isForwarded: forwarder !== undefined, callbackGas: wish.callbackGas });
  const gas = `0x${gasLimit.toString(16)}`;
  return {
    to,
    data,
    gasLimit,
    call: { from: forwarder ?? sender, to: request.oracle, data: inner, gas },
    forwarded: forwarder === undefined ? undefined : { from: sender, to, data, gas },
    signature: signatureOf(fragment),
    answer,
  };
}

/** The entry for one word is what every consumer and every contract knows; the other one is for all that it cannot carry. */
function canBeWord(
  { dataVersion }: AnswerableRequest,
  kind: OracleContract['kind'],
  parts: readonly AnswerPart[],
): boolean {
  const [only] = parts;
  const isWord = parts.length === 1 && only !== undefined && isOneWord(only);
  if (kind === 'oracle') {
    if (isWord) return true;
    throw new PatchbayError('oracle.answer', {
      detail: 'The contract is an Oracle, which passes on one word only',
      fix: 'Answer with one value that fits in 32 bytes, or let the consumer ask an Operator.',
    });
  }
  if (dataVersion > 2) {
    throw new PatchbayError('oracle.answer', {
      detail: `The request wants an answer of version ${String(dataVersion)}, and only 1 and 2 are known`,
    });
  }
  return isWord && dataVersion <= 1;
}

/** Of which the contract makes sure just before it calls back. */
export const leastCallbackGas = 400_000n;
/** What comes before the callback: 40,000 measured for one word. */
const overheadGas = 45_000n;
const forwardingGas = 12_000n;
/** The highest price of a byte sent. */
const gasPerByte = 40n;
const usualLimit = 500_000n;
/** Of one word, selector included. */
const usualBytes = 196n;
/** Consumers keep what they are told, and a word of storage costs 20,000. */
const gasPerLongByte = 700n;

/**
 * Never what a node estimates: it finds the least with which the transaction itself survives, and a callback that starves
 * does not end it.
 */
function gasFor(sent: {
  readonly data: string;
  readonly isForwarded: boolean;
  readonly callbackGas: bigint | undefined;
}): bigint {
  const size = BigInt(sent.data.length / 2 - 1);
  if (sent.callbackGas === undefined) {
    const extra = size > usualBytes ? (size - usualBytes) * gasPerLongByte : 0n;
    return usualLimit + extra;
  }
  // A call passes on all but a 64th of the gas that is left.
  const needed = withheld(sent.callbackGas) > leastCallbackGas ? withheld(sent.callbackGas) : leastCallbackGas;
  const before = needed + overheadGas + size * gasPerByte;
  return sent.isForwarded ? withheld(before) + forwardingGas : before;
}

function withheld(gas: bigint): bigint {
  return (gas * 64n) / 63n + 1n;
}
