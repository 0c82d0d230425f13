import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, UseFilters } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { checked } from '#gateway';
import { CurrentCaller, Public, Scopes, TakesBasic, TakesText, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { root } from './compat-settings.js';
import { addressLike, flag } from './fly-parameters.js';
import { readMessageBody } from './message-body.js';
import { Messages } from './messages.js';
import { OldErrorsFilter } from './old-errors.filter.js';
import { Replies, type Reply } from './replies.js';

type Values = Readonly<Record<string, unknown>>;

const time = z.string().transform((text, context) => {
  const date = new Date(/^\d+$/.test(text) ? Number(text) : text);
  if (!Number.isNaN(date.getTime())) return date;
  context.addIssue('must be RFC 3339, or milliseconds');
  return z.NEVER;
});
const repliesQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(10)
    .transform((limit) => Math.min(limit, 100)),
  skip: z.coerce.number().int().min(0).max(10_000).default(0),
  id: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat())
    .pipe(z.array(z.string()).max(100))
    .optional(),
  since: time.optional(),
  from: z.string().optional(),
  to: z.string().optional(),
});

/** Messages by webhook, and what became of each request. */
@Controller(root)
@TakesBasic()
@UseFilters(OldErrorsFilter)
export class OldMessagesController {
  constructor(
    private readonly messages: Messages,
    private readonly replies: Replies,
  ) {}

  @Post(['', 'hook', 'fasthook'])
  @HttpCode(200)
  @Scopes('chain:read')
  @TakesText()
  take(
    @Body() text: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<object> {
    return this.messages.take(readMessageBody(text), caller, reply);
  }

  @Get('replies')
  @Scopes('chain:read')
  list(@Query() query: Values, @CurrentCaller() caller: Caller): Promise<Reply[]> {
    const { id, from, to, since, limit, skip } = checked(repliesQuery, query);
    if (id !== undefined) return this.replies.some(id, caller.id);
    return this.replies.list({ limit, skip, since, from: addressLike(from), to: addressLike(to) });
  }

  @Get(['replies/:id', 'reply/:id'])
  @Scopes('chain:read')
  async get(@Param('id') id: string, @Query() query: Values, @CurrentCaller() caller: Caller): Promise<Reply> {
    const reply = await this.replies.get(id, caller.id);
    // Who knows nothing of `pending` takes any answer for the outcome.
    if (reply['pending'] !== true || flag(query['pending'])) return reply;
    throw new PatchbayError('request.notFound', {
      detail: `The outcome of ${id.slice(0, 200)} is not known yet`,
      fix: 'Ask again, or with pending=true to see it as it is.',
    });
  }

  @Get('status')
  @Public()
  status(): { ok: true } {
    return { ok: true };
  }
}
