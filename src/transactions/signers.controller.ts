import { Controller, Get } from '@nestjs/common';
import { Answers, Scopes } from '#platform';
import { SignersService, type SignerView } from './signers.service.js';
import { signersAnswer } from './transactions.schema.js';

@Controller('api/signers')
export class SignersController {
  constructor(private readonly signers: SignersService) {}

  @Answers('Lists the signers by name and address', signersAnswer)
  @Get()
  @Scopes('chain:read')
  async list(): Promise<{ signers: SignerView[] }> {
    return { signers: await this.signers.list() };
  }
}
