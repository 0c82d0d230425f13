import {
  asRevert,
  compileLogDecoder,
  findReceipt,
  topicOf,
  toQuantity,
  type Network,
  type Receipt,
  type TransactionPlace,
} from '#evm';
import { PatchbayError } from '#sdk';
import type { AnswerableRequest, Fulfilment, SimulatedCall } from './fulfilment.js';
import { GatheredCalls } from './gathered-calls.js';
import { cancelOracleRequest, chainlinkFulfilled, oracleRequest, oracleResponse } from './operator-abi.js';
import type { OracleContract } from './oracle.client.js';

/** `open`: it can be answered. `reorganised`: it is not in the chain any more; asked again, it is another request. */
export type RequestState =
  | { readonly kind: 'open'; readonly fault: string | undefined; readonly isExpired: boolean }
  | { readonly kind: 'alreadyAnswered' | 'cancelled' | 'reorganised' };

/** Blocks after which a transaction that a reorganisation has dropped is not expected back where it was. */
const reorganisedAfter = 5;

const requestDecoder = compileLogDecoder(oracleRequest);

/** What the chain says of one request. The questions of many runs are asked together. */
export class RequestStates {
  readonly #calls: GatheredCalls;

  constructor(private readonly network: Network) {
    this.#calls = GatheredCalls.of(network);
  }

  /**
   * What would become of an answer, by trying it out as whoever sends it.
   *
   * @throws evm.reverted when the contract would refuse it for another reason than the state of the request
   * @throws evm.rpc when the node cannot tell yet
   */
  async find(request: AnswerableRequest, kind: OracleContract['kind'], fulfilment: Fulfilment): Promise<RequestState> {
    const { call, forwarded } = fulfilment;
    const [tried, passedOn, code, head] = await Promise.all([
      this.#try(call),
      forwarded && this.#try(forwarded),
      this.#calls.request<string>('eth_getCode', [request.callbackAddress, 'latest']),
      this.#calls.request<{ timestamp: string } | null>('eth_getBlockByNumber', ['latest', false]),
    ]);
    if (tried instanceof PatchbayError) {
      if (isAboutState(tried)) return await this.#findEnd(request, kind, call);
      throw explained(tried, fulfilment);
    }
    if (passedOn instanceof PatchbayError) throw explained(passedOn, fulfilment);
    const isExpired = head !== null && BigInt(head.timestamp) >= BigInt(request.expiration);
    if (code === '0x') return { kind: 'open', isExpired, fault: `there is no contract at ${request.callbackAddress}` };
    return { kind: 'open', isExpired, fault: tried ? undefined : 'it would revert, or run out of gas' };
  }

  /**
   * Whether the callback of an answer that was mined went well. The contract does not say so: consumers that inherit
   * ChainlinkClient do, and of others it is tried out again on the block before.
   *
   * @throws evm.pending when the answer is not in the chain at the moment
   */
  async isCalledBack(request: AnswerableRequest, { call }: Fulfilment, place: TransactionPlace): Promise<boolean> {
    const receipt = await findReceipt(this.#calls, place.hash);
    if (!receipt) {
      throw new PatchbayError('evm.pending', {
        detail: `The node does not know ${place.hash} as mined`,
        retryAfterMs: 500,
      });
    }
    if (hasFulfilled(receipt, request)) return true;
    const before = toQuantity(receipt.place.blockNumber - 1);
    const [tried, code] = await Promise.all([
      this.#try(call, before),
      this.#calls.request<string>('eth_getCode', [request.callbackAddress, before]),
    ]);
    return tried === true && code !== '0x';
  }

  /** Whether the callback would succeed, or why the contract refuses. */
  async #try(call: SimulatedCall, block = 'latest'): Promise<boolean | PatchbayError> {
    try {
      const answer = await this.#calls.request<string>('eth_call', [call, block]);
      return answer === '0x' || BigInt(answer) === 1n;
    } catch (error) {
      const revert = asRevert(error, []);
      if (revert) return revert;
      throw error;
    }
  }

  /** The contract does not have it any more, or has another one under its id: why? */
  async #findEnd(request: AnswerableRequest, kind: OracleContract['kind'], call: SimulatedCall): Promise<RequestState> {
    const topics = [[topicOf(cancelOracleRequest), topicOf(oracleResponse)], request.id];
    const from = toQuantity(request.blockNumber);
    const [receipt, ends, head] = await Promise.all([
      findReceipt(this.#calls, request.transactionHash),
      this.#calls.request<readonly { topics: readonly string[] }[]>('eth_getLogs', [
        { address: request.oracle, topics, fromBlock: from, toBlock: 'latest' },
      ]),
      this.#calls.request<string>('eth_blockNumber').then(Number),
    ]);
    if (!receipt) {
      // What a node that lags behind does not know yet looks the same.
      const isGone = head - request.blockNumber >= Math.max(reorganisedAfter, this.network.finality);
      if (isGone) return { kind: 'reorganised' };
      throw unsure(request, 'its transaction is not in the chain at the moment');
    }
    if (!hasAsked(receipt, request)) return { kind: 'reorganised' };
    const last = ends.at(-1)?.topics[0];
    if (last === topicOf(cancelOracleRequest)) return { kind: 'cancelled' };
    if (last === topicOf(oracleResponse)) return { kind: 'alreadyAnswered' };
    // An Oracle says nothing when it answers; that the request is gone is certain where its block is known.
    if (kind === 'oracle' && (await this.#try(call, toQuantity(Math.max(head, receipt.place.blockNumber)))) !== true) {
      return { kind: 'alreadyAnswered' };
    }
    throw unsure(request, 'the node that was asked is behind');
  }
}

/** In a transaction that has been mined again, the same request has another expiration. */
function hasAsked({ logs }: Receipt, { oracle, id, expiration }: AnswerableRequest): boolean {
  return logs.some((log) => {
    if (log.address !== oracle || log.topics[0] !== requestDecoder.topic) return false;
    const { args } = requestDecoder.decode(log);
    return args['requestId'] === id.toLowerCase() && args['cancelExpiration'] === expiration;
  });
}

function hasFulfilled({ logs }: Receipt, { callbackAddress, id }: AnswerableRequest): boolean {
  const topic = topicOf(chainlinkFulfilled);
  return logs.some(
    (log) => log.address === callbackAddress && log.topics[0] === topic && log.topics[1] === id.toLowerCase(),
  );
}

function isAboutState({ detail }: PatchbayError): boolean {
  return /valid requestId|params do not match/i.test(detail);
}

function explained(error: PatchbayError, { call }: Fulfilment): PatchbayError {
  const fix = /authorized/i.test(error.detail)
    ? `Let the owner make ${call.from} an authorised sender of ${call.to}.`
    : /enough gas/i.test(error.detail)
      ? 'Raise gasLimit: the contract wants 400,000 left when it calls back.'
      : undefined;
  return new PatchbayError('evm.reverted', {
    detail: `${call.to} would refuse the answer: ${error.detail}`,
    cause: error,
    ...(fix === undefined ? {} : { fix }),
  });
}

function unsure({ id, oracle }: AnswerableRequest, because: string): PatchbayError {
  return new PatchbayError('evm.rpc', { detail: `The request ${id} is not to be found at ${oracle}: ${because}` });
}
