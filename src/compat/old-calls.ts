import type { FastifyReply } from 'fastify';
import { decodeCall, type AbiFragment } from '#evm';
import {
  blockParameter,
  goneSignal,
  isRead,
  type CallableContract,
  type ContractCalls,
  type ContractFunction,
  type SentTransaction,
} from '#gateway';
import { hasScope, type Caller, type Scope } from '#platform';
import { PatchbayError } from '#sdk';
import { callersKey } from '#transactions';
import { addressLike, type FlyParameters } from './fly-parameters.js';
import { namedInputs, namedOutputs, readInputs } from './old-values.js';
import { isSuccess, requestIdOf, type Replies, type Reply } from './replies.js';

type Values = Readonly<Record<string, unknown>>;

/** A contract, and how its ABI is found. */
export interface Target {
  readonly contract: string;
  /** `name@version` of an interface. */
  readonly interface?: string;
}

export interface OldCall {
  readonly fly: FlyParameters;
  readonly query: Values;
  readonly body: Values;
  readonly caller: Caller;
}

const longestWaitMs = 60_000;

/** Functions of contracts as old clients call them: translated, and handed on to what the REST routes of the hub use. */
export class OldCalls {
  constructor(private readonly parts: { readonly calls: ContractCalls; readonly replies: Replies }) {}

  /** What is only asked; with `fly-transaction`, what that transaction handed to the function. */
  async read(target: Target, functionRef: string, call: OldCall): Promise<Values> {
    return await this.#read(await this.#find(target, functionRef, call), call);
  }

  async #read(found: ContractFunction, call: OldCall): Promise<Values> {
    const { fly, caller } = call;
    const { target, fragment } = found;
    if (fly.transaction !== undefined) return await inputsOf(target, fragment, fly.transaction);
    const { outputs } = await this.parts.calls.call(
      found,
      {
        args: readInputs(fragment.inputs ?? [], call),
        root: '#',
        block: blockParameter(fly.block),
        ...(fly.from !== undefined && { from: fly.from }),
        ...(fly.value !== undefined && { value: fly.value }),
        ...(fly.gas !== undefined && { gas: fly.gas }),
      },
      caller,
    );
    return namedOutputs(fragment.outputs ?? [], outputs);
  }

  /** Reads what changes nothing, sends the rest. */
  async post(target: Target, functionRef: string, call: OldCall, reply: FastifyReply): Promise<Values> {
    const { fly, caller } = call;
    const found = await this.#find(target, functionRef, call);
    const { fragment } = found;
    if (fly.isCall || isRead(fragment)) {
      reply.status(200);
      return await this.#read(found, call);
    }
    assertScopes(caller, ['chain:send']);
    const sent = await this.parts.calls.send(
      found,
      { ...sending(fly, caller), args: readInputs(fragment.inputs ?? [], call), root: '#' },
      caller,
    );
    return await this.answer(sent, fly, reply);
  }

  /** `sent` with its id, or what came of it. @throws evm.pending when that takes too long */
  async answer(sent: SentTransaction, fly: Pick<FlyParameters, 'isSync'>, reply: FastifyReply): Promise<Values> {
    const { record, network } = sent;
    const id = requestIdOf(record);
    if (!fly.isSync) {
      reply.status(202);
      return { sent: true, id };
    }
    await network.transactions.waitFor(record.id, 'mined', { withinMs: longestWaitMs, signal: goneSignal(reply) });
    const outcome = await this.parts.replies.of(record.id);
    if (outcome['pending'] === true) {
      throw new PatchbayError('evm.pending', {
        detail: `The request ${id} was not mined within ${longestWaitMs / 1_000} s; it still may be`,
        fix: `Look later: GET /replies/${id}`,
      });
    }
    reply.status(isSuccess(outcome) ? 200 : 500);
    return isSuccess(outcome) ? outcome : withError(outcome);
  }

  #find(target: Target, functionRef: string, { fly: { network } }: OldCall): Promise<ContractFunction> {
    return this.parts.calls.find(addressLike(target.contract), functionRef, {
      ...(target.interface !== undefined && { interface: target.interface }),
      ...(network !== undefined && { network }),
    });
  }
}

/** How a transaction is sent, in our words. @throws request.invalid when nobody is named as its sender */
export function sending(fly: FlyParameters, caller: Caller) {
  const { from, id, value, gas, gasPrice } = fly;
  if (from === undefined) {
    throw new PatchbayError('request.invalid', {
      detail: 'It is not said who sends the transaction',
      fix: 'Add fly-from, the name or the address of a signer: GET /api/signers lists them.',
      faults: [{ pointer: '#/fly-from', detail: 'It is missing' }],
    });
  }
  return {
    from,
    idempotencyKey: callersKey(caller, id),
    ...(value !== undefined && { value }),
    ...(gas !== undefined && { gas }),
    // Zero was the default of old gateways: whatever the network takes.
    ...(gasPrice !== undefined && gasPrice > 0n && { fees: { max: gasPrice } }),
  };
}

/** @throws auth.forbidden */
export function assertScopes(caller: Caller, scopes: readonly Scope[]): void {
  const missing = scopes.filter((scope) => !hasScope(caller.scopes, scope));
  if (missing.length === 0) return;
  throw new PatchbayError('auth.forbidden', {
    detail: `The key "${caller.name}" lacks ${missing.join(', ')}`,
    fix: 'Use a key with this scope.',
  });
}

async function inputsOf({ network }: CallableContract, fragment: AbiFragment, hash: string): Promise<Values> {
  const transaction = await network.rpc.request<{ input: string } | null>('eth_getTransactionByHash', [hash]);
  if (transaction === null) {
    throw new PatchbayError('request.notFound', {
      detail: `${network.name} knows no transaction ${hash.slice(0, 100)}`,
    });
  }
  const decoded = decodeCall([{ ...fragment, inputs: namedInputs(fragment.inputs ?? []) }], transaction.input);
  if (decoded) return decoded.args;
  throw new PatchbayError('request.invalid', {
    detail: `The transaction ${hash} does not call ${fragment.name ?? ''}`,
  });
}

function withError(reply: Reply): Values {
  return {
    ...reply,
    error: reply['errorMessage'] ?? 'The transaction was mined and failed',
    code: reply['errorCode'] ?? 'evm.reverted',
  };
}
