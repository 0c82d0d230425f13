import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { argumentNames, feeWishOf, type AbiFragment } from '#evm';
import { Answers, CurrentCaller, Scopes, ZodBody, hasScope, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import {
  blockParameter,
  callBody,
  checked,
  isRead,
  optionPrefix,
  optionsOf,
  queryOptions,
  splitQuery,
  type CallRequest,
} from './call-request.js';
import { ContractCalls, type ContractFunction, type ReadOptions } from './contract-calls.js';
import { ContractsService } from './contracts.service.js';
import { sentView, type Json } from './gateway-views.js';
import { callAnswer, eventsAnswer } from './gateway.schema.js';
import { findEvent, readPastEvents } from './past-events.service.js';
import { goneSignal, idempotencyKeyOf, waitMsOf } from './send-headers.js';

type Query = Readonly<Record<string, unknown>>;

const readOptions = ['from', 'value', 'gas', 'block', 'network', 'interface'] as const;
const eventOptions = ['fromBlock', 'toBlock', 'cursor', 'limit', 'network', 'interface'] as const;
const eventQuery = z.object({
  fromBlock: z.coerce.number().int().min(0).default(0),
  toBlock: z.coerce.number().int().min(0).optional(),
  cursor: z.string().max(50).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

/** Functions and events of contracts as routes. A function called `verify` is reached by its signature. */
@Controller('api/contracts')
export class ContractCallsController {
  constructor(
    private readonly calls: ContractCalls,
    private readonly contracts: ContractsService,
  ) {}

  @Answers('Lists past events of a contract, oldest first; indexed arguments filter them', eventsAnswer)
  @Get(':contract/events/:event')
  @Scopes('chain:read')
  async events(
    @Param('contract') reference: string,
    @Param('event') eventRef: string,
    @Query() query: Query,
  ): Promise<Json> {
    const contract = await this.contracts.resolve(reference, placeOf(query));
    const event = findEvent(contract, eventRef);
    const names = argumentNames(event.inputs ?? []);
    const indexed = (event.inputs ?? []).flatMap((input, index) =>
      input.indexed === true ? [{ ...input, name: names[index] ?? '' }] : [],
    );
    const { args, given } = splitQuery(query, indexed, eventOptions, true);
    const { fromBlock, toBlock, cursor, limit } = checked(eventQuery, given);
    return { ...(await readPastEvents(contract, { event, where: args, fromBlock, toBlock, cursor, limit })) };
  }

  @Answers('Reads a function of a contract; its inputs stand in the query', callAnswer)
  @Get(':contract/:function')
  @Scopes('chain:read')
  async read(
    @Param('contract') reference: string,
    @Param('function') functionRef: string,
    @Query() query: Query,
    @CurrentCaller() caller: Caller,
  ): Promise<Json> {
    const found = await this.calls.find(reference, functionRef, placeOf(query));
    const { args, given } = splitQuery(query, found.fragment.inputs ?? [], readOptions);
    return await this.#read(found, { ...optionsOf(given), args }, { caller, root: '#' });
  }

  @Answers('Reads a function that changes nothing, or sends any other in a transaction (needs chain:send)', callAnswer)
  @Post(':contract/:function')
  @HttpCode(200)
  @Scopes('chain:read')
  async call(
    @Param('contract') reference: string,
    @Param('function') functionRef: string,
    @Query() query: Query,
    @ZodBody(callBody) body: z.output<typeof callBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<Json> {
    const { given } = splitQuery(query, [], queryOptions);
    const wish: CallRequest = { ...optionsOf(given), ...body };
    const found = await this.calls.find(reference, functionRef, wherein(wish));
    if (wish.read === true || isRead(found.fragment)) return await this.#read(found, wish, { caller });
    const send = sendOptions(wish, found.fragment, caller);
    if (wish.simulate === true) {
      const { gas, result } = await this.calls.simulate(found, send, caller);
      return { gas: gas.toString(), result };
    }
    const sent = await this.calls.send(
      found,
      {
        ...send,
        idempotencyKey: idempotencyKeyOf(request, caller),
        waitMs: waitMsOf(request),
        signal: goneSignal(reply),
        ...(wish.wait !== undefined && { wait: wish.wait }),
      },
      caller,
    );
    reply.status(sent.isReached ? 200 : 202);
    return sentView(sent);
  }

  async #read(
    found: ContractFunction,
    wish: CallRequest,
    { caller, root }: { readonly caller: Caller; readonly root?: string },
  ): Promise<Json> {
    const options: ReadOptions = {
      args: wish.args ?? {},
      block: blockParameter(wish.block),
      ...(root !== undefined && { root }),
      ...(wish.from !== undefined && { from: wish.from }),
      ...(wish.value !== undefined && { value: BigInt(wish.value) }),
      ...(wish.gas !== undefined && { gas: BigInt(wish.gas) }),
    };
    const { result } = await this.calls.call(found, options, caller);
    return { result };
  }
}

function sendOptions(wish: CallRequest, fragment: AbiFragment, caller: Caller) {
  if (!hasScope(caller.scopes, 'chain:send')) {
    throw new PatchbayError('auth.forbidden', {
      detail: `The key "${caller.name}" lacks chain:send, which ${fragment.name ?? ''} needs because it changes the chain`,
      fix: 'Use a key with this scope, or add read=true to ask only.',
    });
  }
  if (wish.from === undefined) {
    throw new PatchbayError('request.invalid', {
      detail: 'It is not said who sends the transaction',
      fix: 'Add from, the name of a signer: GET /api/signers lists them.',
      faults: [{ pointer: '#/from', detail: 'It is missing' }],
    });
  }
  return {
    args: wish.args ?? {},
    from: wish.from,
    ...(wish.value !== undefined && { value: BigInt(wish.value) }),
    ...(wish.gas !== undefined && { gas: BigInt(wish.gas) }),
    ...(wish.fee !== undefined && { fees: feeWishOf(wish.fee) }),
  };
}

function wherein(wish: CallRequest): { network?: string; interface?: string } {
  return {
    ...(wish.network !== undefined && { network: wish.network }),
    ...(wish.interface !== undefined && { interface: wish.interface }),
  };
}

/** Where the contract lies must be known before it is known which names of the query are its inputs. */
function placeOf(query: Query): { network?: string; interface?: string } {
  const pick = (name: string): string | undefined => {
    const value = query[optionPrefix + name] ?? query[name];
    return typeof value === 'string' ? value : undefined;
  };
  return wherein({ network: pick('network'), interface: pick('interface') });
}
