import { Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';

import { PatchbayError } from '#sdk';

import { Answers } from '../http/operation.js';
import { ZodBody, ZodPath } from '../http/zod.pipe.js';
import { Scopes } from './access.js';
import { ApiKeys, type ApiKeyInfo, type Caller } from './api-keys.js';
import { AuditLog } from './audit.js';
import { CurrentCaller } from './auth.guard.js';
import { canGrant, isScopeText } from './scopes.js';
import { canGrantSending, sendLimitsSchema } from './send-limits.js';

const newKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  scopes: z.array(z.string().refine(isScopeText, 'is not a scope')).min(1).max(50),
  limits: sendLimitsSchema.optional(),
  expiresAt: z.coerce.date().min(new Date(0)).optional().meta({ type: 'string', format: 'date-time' }),
});
const keyPath = z.object({ id: z.uuid() });
const keyInfo = z.object({
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(z.string()),
  limits: sendLimitsSchema.optional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
});

@Controller('api/keys')
export class KeysController {
  constructor(
    private readonly keys: ApiKeys,
    private readonly audit: AuditLog,
  ) {}

  @Scopes('keys:write')
  @Answers('Lists the API keys that work', z.object({ keys: z.array(keyInfo) }))
  @Get()
  async list(): Promise<{ keys: ApiKeyInfo[] }> {
    return { keys: await this.keys.list() };
  }

  @Scopes('keys:write')
  @Answers('Makes an API key; its text is shown this once', z.object({ key: z.string(), ...keyInfo.shape }), 201)
  @Post()
  async create(
    @ZodBody(newKey) wanted: z.output<typeof newKey>,
    @CurrentCaller() caller: Caller,
  ): Promise<ApiKeyInfo & { key: string }> {
    if (!canGrant(caller.scopes, wanted.scopes)) {
      throw new PatchbayError('auth.forbidden', { detail: 'A key cannot hand on scopes that it does not have' });
    }
    if (!canGrantSending(caller, wanted)) {
      throw new PatchbayError('auth.forbidden', {
        detail: 'A key cannot hand on wider limits than it has, and none of what is limited by the day',
        fix: 'Leave out chain:send, or ask somebody whose key is not limited.',
      });
    }
    const { name, scopes, limits, expiresAt } = wanted;
    const given = { name, scopes, ...(limits && { limits }) };
    const { key, info } = await this.keys.create({ ...given, ...(expiresAt && { expiresAt }) });
    await this.audit.write({ actor: caller.name, action: 'key.create', subject: info.id, detail: given });
    return { ...info, key };
  }

  @Scopes('keys:write')
  @Answers('Revokes an API key', undefined, 204)
  @Delete(':id')
  @HttpCode(204)
  async revoke(@ZodPath(keyPath) { id }: z.output<typeof keyPath>, @CurrentCaller() caller: Caller): Promise<void> {
    const { name } = await this.keys.revoke(id);
    await this.audit.write({ actor: caller.name, action: 'key.revoke', subject: id, detail: { name } });
  }
}
