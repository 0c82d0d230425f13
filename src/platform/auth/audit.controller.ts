import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';

import { Answers } from '../http/operation.js';
import { ZodQuery } from '../http/zod.pipe.js';
import { Scopes } from './access.js';
import { AuditLog, type AuditRecord } from './audit.js';

const auditQuery = z.strictObject({
  before: z
    .string()
    .regex(/^\d{1,18}$/, 'must be a seq of an earlier answer')
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
const auditAnswer = z.object({
  entries: z.array(
    z.object({
      seq: z.string(),
      at: z.iso.datetime(),
      actor: z.string(),
      action: z.string(),
      subject: z.string().optional(),
      detail: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

@Controller('api/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Scopes('audit:read')
  @Answers('Lists who did what, newest first', auditAnswer)
  @Get()
  async list(
    @ZodQuery(auditQuery) { before, limit }: z.output<typeof auditQuery>,
  ): Promise<{ entries: AuditRecord[] }> {
    return { entries: await this.audit.list({ limit, ...(before !== undefined && { before }) }) };
  }
}
