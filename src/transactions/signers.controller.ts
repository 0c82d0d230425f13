import { Controller, Get } from '@nestjs/common';
import { Scopes } from '#platform';
import { SignersService, type SignerView } from './signers.service.js';

@Controller('api/signers')
export class SignersController {
  constructor(private readonly signers: SignersService) {}

  @Get()
  @Scopes('chain:read')
  async list(): Promise<{ signers: SignerView[] }> {
    return { signers: await this.signers.list() };
  }
}
