import { Controller, Get, Headers, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { Public } from '../auth/access.js';
import { ApiKeys } from '../auth/api-keys.js';
import { bearerOf } from '../auth/auth.guard.js';
import { Readiness, type Check } from './readiness.js';

@Controller('health')
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly keys: ApiKeys,
  ) {}

  @Public()
  @Get('live')
  live(@Res() reply: FastifyReply): void {
    answer(reply, [this.readiness.live()], false);
  }

  /** Details tell about the inside, so they are for keys only. */
  @Public()
  @Get('ready')
  async ready(@Res() reply: FastifyReply, @Headers('authorization') authorization?: string): Promise<void> {
    const checks = await this.readiness.ready();
    const key = bearerOf(authorization);
    // An unreachable database must not keep the answer from being given.
    const caller = key === undefined ? undefined : await this.keys.authenticate(key).catch(() => undefined);
    answer(reply, checks, caller !== undefined);
  }
}

function answer(reply: FastifyReply, checks: readonly Check[], withDetails: boolean): void {
  const isOk = checks.every((check) => check.isOk);
  void reply
    .status(isOk ? 200 : 503)
    .header('cache-control', 'no-store')
    .send({ status: isOk ? 'ok' : 'unavailable', ...(withDetails && { checks }) });
}
