import { Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Answers, CurrentCaller, Scopes, ZodBody, ZodQuery, type Caller } from '#platform';
import { NetworksService } from '#networks';
import { PatchbayError, type z } from '#sdk';
import { TransactionsQueries, type TransactionsPage } from './transactions.queries.js';
import {
  batchAnswer,
  batchBody,
  listQuery,
  replaceBody,
  sendBody,
  transactionDetailAnswer,
  transactionsAnswer,
} from './transactions.schema.js';
import { TransactionsService } from './transactions.service.js';
import type { TransactionDetail } from './transaction-views.js';

@Controller('api/transactions')
export class TransactionsController {
  constructor(
    private readonly queries: TransactionsQueries,
    private readonly transactions: TransactionsService,
    private readonly networks: NetworksService,
  ) {}

  @Answers('Lists transactions, newest first', transactionsAnswer)
  @Get()
  @Scopes('chain:read')
  async list(@ZodQuery(listQuery) query: z.output<typeof listQuery>): Promise<TransactionsPage> {
    const { from, to, network, ...filter } = query;
    const chainId = network === undefined ? query.chainId : (await this.networks.get(network)).chainId;
    return this.queries.list({ ...filter, chainId, signer: query.signer ?? from, contract: query.contract ?? to });
  }

  @Answers('Gives a transaction with its attempts and history, by id or hash', transactionDetailAnswer)
  @Get(':id')
  @Scopes('chain:read')
  get(@Param('id') id: string): Promise<TransactionDetail> {
    return this.queries.get(id);
  }

  @Answers('Sends a transaction; 200 when it is as far as `wait` says, 202 until then', transactionDetailAnswer, 202)
  @Post()
  @HttpCode(202)
  @Scopes('chain:send')
  async send(
    @ZodBody(sendBody) body: z.output<typeof sendBody>,
    @Headers('idempotency-key') key: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TransactionDetail> {
    const { transaction, isReached } = await this.transactions.send(body, caller, checkedKey(key));
    if (isReached) reply.status(200);
    return transaction;
  }

  @Answers('Sends up to 500 transactions, each by itself', batchAnswer, 202)
  @Post('batch')
  @HttpCode(202)
  @Scopes('chain:send')
  async sendAll(
    @ZodBody(batchBody) body: z.output<typeof batchBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<{ items: readonly object[] }> {
    return { items: await this.transactions.sendAll(body.transactions, caller) };
  }

  @Answers('Puts nothing in its place, if that is still possible', transactionDetailAnswer, 202)
  @Post(':id/cancel')
  @HttpCode(202)
  @Scopes('chain:send')
  cancel(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<TransactionDetail> {
    return this.transactions.cancel(id, caller);
  }

  @Answers('Sends it again at a higher fee', transactionDetailAnswer, 202)
  @Post(':id/replace')
  @HttpCode(202)
  @Scopes('chain:send')
  replace(
    @Param('id') id: string,
    @ZodBody(replaceBody) { fee }: z.output<typeof replaceBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<TransactionDetail> {
    const { max, tip, cap } = fee;
    return this.transactions.replace(id, { ...(max && { max }), ...(tip && { tip }), ...(cap && { cap }) }, caller);
  }
}

/** @throws request.invalid */
function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || (key.length > 0 && key.length <= 255)) return key;
  throw new PatchbayError('request.invalid', { detail: 'Idempotency-Key must have 1 to 255 characters' });
}
