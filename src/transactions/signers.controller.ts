import { Controller, Get, Param } from '@nestjs/common';
import type { WalletAccount } from '#evm';
import { Answers, Scopes, ZodQuery } from '#platform';
import { z } from '#sdk';
import { accountsAnswer, signersAnswer, walletsAnswer } from './signers.schema.js';
import { SignersService, type SignerView, type WalletView } from './signers.service.js';

const accountsQuery = z.object({
  from: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0),
  count: z.coerce.number().int().min(1).max(500).default(10),
});

@Controller('api')
export class SignersController {
  constructor(private readonly signers: SignersService) {}

  @Answers('Lists the signers with their addresses, and what keeps one from signing', signersAnswer)
  @Get('signers')
  @Scopes('chain:read')
  async list(): Promise<{ signers: SignerView[] }> {
    return { signers: await this.signers.list() };
  }

  @Answers('Lists the wallets that signers are derived from', walletsAnswer)
  @Get('wallets')
  @Scopes('chain:read')
  listWallets(): { wallets: WalletView[] } {
    return { wallets: this.signers.listWallets() };
  }

  @Answers('Gives the accounts of a wallet from an index on', accountsAnswer)
  @Get('wallets/:name/accounts')
  @Scopes('chain:read')
  async accounts(
    @Param('name') name: string,
    @ZodQuery(accountsQuery) query: z.output<typeof accountsQuery>,
  ): Promise<{ accounts: WalletAccount[] }> {
    return { accounts: await this.signers.accounts(name, query) };
  }
}
