import { Controller, Delete, Get, HttpCode, Param, Post, Query, UseFilters } from '@nestjs/common';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, ZodQuery, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { DeclaredForZapier } from './declared.js';
import type { Item } from './items.js';
import type { SubscriptionState } from './subscriptions.store.js';
import { ZapContracts } from './zap-contracts.js';
import { ZapRuns, type StartedRun } from './zap-runs.js';
import { ZapSubscriptions } from './zap-subscriptions.js';
import { ZapTransactions } from './zap-transactions.js';
import { ZapierFilter } from './zapier.filter.js';
import {
  callBody,
  choices,
  flowQuery,
  formFields,
  functionQuery,
  items,
  listQuery,
  readBody,
  runBody,
  runSearch,
  subscribeBody,
  transactionSearch,
  triggerName,
  type Choice,
  type FormField,
} from './zapier.schema.js';

const pageSize = 100;
const me = z.object({ id: z.string(), name: z.string(), instance: z.string() });
const subscribed = z.object({ id: z.uuid() });
const started = z.object({
  id: z.uuid(),
  run_id: z.uuid(),
  flow: z.string(),
  state: z.string(),
  duplicate: z.boolean(),
});
const subscriptions = z.object({ items: z.array(z.looseObject({ id: z.uuid(), trigger: z.string() })) });

/** Which hub this is, for people who have several. */
export class HubIdentity {
  constructor(readonly url: string) {}
}

/** What the app of this hub at Zapier calls. */
@Controller('zapier')
@UseFilters(ZapierFilter)
export class ZapierController {
  constructor(
    private readonly identity: HubIdentity,
    private readonly declared: DeclaredForZapier,
    private readonly contracts: ZapContracts,
    private readonly subscriptions: ZapSubscriptions,
    private readonly runs: ZapRuns,
    private readonly transactions: ZapTransactions,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Says whose key it is', me)
  @Get('me')
  @Scopes('zapier:use')
  me(@CurrentCaller() { id, name }: Caller): z.output<typeof me> {
    return { id, name, instance: new URL(this.identity.url).host };
  }

  @Answers(
    'Entries of a drop-down: networks, contracts, events, functions, flows, runnable-flows or published-events',
    choices,
  )
  @Get('lists/:list')
  @Scopes('zapier:use')
  async list(@Param('list') list: string, @ZodQuery(listQuery) query: z.output<typeof listQuery>): Promise<Choice[]> {
    const all = await this.#listed(list, query);
    return all.slice(query.page * pageSize, (query.page + 1) * pageSize);
  }

  @Answers('Fields for the arguments of a function', formFields)
  @Get('fields/function')
  @Scopes('zapier:use')
  functionFields(@ZodQuery(functionQuery) query: z.output<typeof functionQuery>): Promise<FormField[]> {
    return this.contracts.fields(query);
  }

  @Answers('Fields that a flow declares', formFields)
  @Get('fields/flow')
  @Scopes('zapier:use')
  flowFields(@ZodQuery(flowQuery) { flow }: z.output<typeof flowQuery>): FormField[] {
    return this.declared.fieldsOf(flow);
  }

  @Answers('What Run Flow gives in the end, for the editor', z.looseObject({ id: z.string() }))
  @Get('samples/run')
  @Scopes('zapier:use')
  runSample(@ZodQuery(flowQuery) { flow }: z.output<typeof flowQuery>): Promise<Item> {
    return this.runs.sample(flow);
  }

  @Answers('Up to three items as they are delivered; the query is the input of the trigger', items)
  @Get('samples/:trigger')
  @Scopes('zapier:use')
  samples(@Param('trigger') name: string, @Query() input: Record<string, unknown>): Promise<readonly Item[]> {
    const trigger = triggerName.safeParse(name);
    if (trigger.success) return this.subscriptions.samples(trigger.data, input);
    throw new PatchbayError('request.notFound', {
      detail: `There is no trigger ${name.slice(0, 100)}.`,
      fix: `There are ${triggerName.options.join(', ')}.`,
    });
  }

  @Answers('Lists who is told what, and what waits for each', subscriptions)
  @Get('subscriptions')
  @Scopes('zapier:use')
  async listSubscriptions(): Promise<{ items: SubscriptionState[] }> {
    return { items: await this.subscriptions.list() };
  }

  @Answers('Subscribes an address to a trigger; the same again is the same', subscribed, 201)
  @Post('subscriptions')
  @Scopes('zapier:use')
  async subscribe(
    @ZodBody(subscribeBody) body: z.output<typeof subscribeBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<{ id: string }> {
    const { id } = await this.subscriptions.subscribe(body, caller);
    await this.audit.write({
      actor: caller.name,
      action: 'zapier.subscribe',
      subject: id,
      detail: { trigger: body.trigger },
    });
    return { id };
  }

  @Answers('Ends a subscription; one that is not known has ended already', z.object({ id: z.string() }))
  @Delete('subscriptions/:id')
  @Scopes('zapier:use')
  async unsubscribe(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<{ id: string }> {
    if (z.uuid().safeParse(id).success && (await this.subscriptions.unsubscribe(id))) {
      await this.audit.write({ actor: caller.name, action: 'zapier.unsubscribe', subject: id });
    }
    return { id };
  }

  @Answers('Runs a flow, and tells a callback of its end', started, 201)
  @Post('runs')
  @Scopes('zapier:use')
  run(@ZodBody(runBody) body: z.output<typeof runBody>, @CurrentCaller() caller: Caller): Promise<StartedRun> {
    return this.runs.start(body, caller);
  }

  @Answers('Finds runs by id or by flow', items)
  @Get('runs')
  @Scopes('zapier:use')
  findRuns(@ZodQuery(runSearch) query: z.output<typeof runSearch>): Promise<Item[]> {
    return this.runs.find(query);
  }

  @Answers('Finds transactions by id, hash or idempotency key', items)
  @Get('transactions')
  @Scopes('zapier:use')
  findTransactions(@ZodQuery(transactionSearch) query: z.output<typeof transactionSearch>): Promise<Item[]> {
    return this.transactions.find(query.transaction);
  }

  @Answers('Reads from a contract', z.looseObject({ id: z.string() }))
  @Post('read')
  @HttpCode(200)
  @Scopes('zapier:use')
  read(@ZodBody(readBody) body: z.output<typeof readBody>, @CurrentCaller() caller: Caller): Promise<Item> {
    return this.contracts.read(body, caller);
  }

  @Answers('Sends a transaction, and tells a callback once it is final', z.looseObject({ id: z.string() }), 201)
  @Post('calls')
  @Scopes('zapier:use', 'chain:send')
  call(@ZodBody(callBody) body: z.output<typeof callBody>, @CurrentCaller() caller: Caller): Promise<Item> {
    return this.contracts.send(body, caller);
  }

  async #listed(list: string, { network, contract, kind }: z.output<typeof listQuery>): Promise<Choice[]> {
    switch (list) {
      case 'networks':
        return this.contracts.networks();
      case 'contracts':
        return this.contracts.contracts(network);
      // Until a contract is chosen there is nothing to choose of it.
      case 'events':
        return contract === undefined ? [] : this.contracts.events(contract, network);
      case 'functions':
        return contract === undefined ? [] : this.contracts.functions(contract, network, kind);
      case 'flows':
        return this.declared.all();
      case 'runnable-flows':
        return this.declared.runnable();
      case 'published-events':
        return this.declared
          .events()
          .map(({ event, title, flow }) => ({ id: event, name: `${title ?? event} (${flow})` }));
      default:
        throw new PatchbayError('request.notFound', { detail: `There is no list ${list.slice(0, 100)}.` });
    }
  }
}
