import { Controller, Get, Param } from '@nestjs/common';
import { Answers, Scopes, ZodQuery } from '#platform';
import { z } from '#sdk';
import { TransactionsQueries, type TransactionHistory, type TransactionView } from './transactions.queries.js';
import { transactionDetailAnswer, transactionsAnswer } from './transactions.schema.js';

const listQuery = z.object({
  status: z.enum(['reserved', 'signed', 'broadcast', 'mined', 'confirmed', 'failed']).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

@Controller('api/transactions')
export class TransactionsController {
  constructor(private readonly transactions: TransactionsQueries) {}

  @Answers('Lists the transactions that were sent, newest first', transactionsAnswer)
  @Get()
  @Scopes('chain:read')
  async list(@ZodQuery(listQuery) query: z.output<typeof listQuery>): Promise<{ items: TransactionView[] }> {
    return { items: await this.transactions.list(query) };
  }

  @Answers('Gives a transaction with its attempts and history', transactionDetailAnswer)
  @Get(':id')
  @Scopes('chain:read')
  get(@Param('id') id: string): Promise<TransactionHistory> {
    return this.transactions.get(id);
  }
}
