import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, ZodPath, ZodQuery, type Caller } from '#platform';
import { z } from '#sdk';
import type { StreamDocument } from './stream-document.js';
import {
  deadLettersAnswer,
  resetSchema,
  streamAnswer,
  streamChangeSchema,
  streamDetailAnswer,
  streamSchema,
} from './stream.schema.js';
import { StreamsService, type PositionView, type StreamView } from './streams.service.js';
import type { StreamDeadLetter } from './streams.store.js';

const suspendBody = z.strictObject({ reason: z.string().max(500).optional() });
const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) });
const letterPath = z.object({ name: z.string(), id: z.uuid() });

/** Event streams: what goes to whom, and how far each has got. */
@Controller('api/streams')
export class StreamsController {
  constructor(
    private readonly streams: StreamsService,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists the event streams', z.object({ items: z.array(streamAnswer) }))
  @Get()
  @Scopes('streams:read')
  async list(): Promise<{ items: StreamView[] }> {
    return { items: await this.streams.list() };
  }

  @Answers('Creates an event stream and starts it', streamAnswer, 201)
  @Post()
  @Scopes('streams:write')
  async create(
    @ZodBody(streamSchema) _checked: unknown,
    // The service keeps what was written; the schema before has seen that it is an object.
    @Body() document: StreamDocument,
    @CurrentCaller() caller: Caller,
  ): Promise<StreamView> {
    const view = await this.streams.create(document, caller.name);
    await this.#note(caller, 'stream.create', view.name, { definition: view.definition });
    return view;
  }

  @Answers('Gives an event stream with the places of its consumers', streamDetailAnswer)
  @Get(':name')
  @Scopes('streams:read')
  get(@Param('name') name: string): Promise<StreamView & { positions: PositionView[] }> {
    return this.streams.get(name);
  }

  @Answers('Changes an event stream; its place stays unless `reset` says otherwise', streamAnswer)
  @Patch(':name')
  @Scopes('streams:write')
  async change(
    @Param('name') name: string,
    @ZodBody(streamChangeSchema) body: z.output<typeof streamChangeSchema>,
    @CurrentCaller() caller: Caller,
  ): Promise<StreamView> {
    const { reset, ...changes } = body;
    const view = await this.streams.change(name, changes, reset?.from);
    await this.#note(caller, 'stream.change', name, { fields: Object.keys(body) });
    return view;
  }

  @Answers('Deletes an event stream, its places and its dead letters', undefined, 204)
  @Delete(':name')
  @HttpCode(204)
  @Scopes('streams:write')
  async delete(@Param('name') name: string, @CurrentCaller() caller: Caller): Promise<void> {
    await this.streams.delete(name);
    await this.#note(caller, 'stream.delete', name);
  }

  @Answers('Suspends an event stream; it keeps its place', streamAnswer)
  @Post(':name/suspend')
  @HttpCode(200)
  @Scopes('streams:write')
  async suspend(
    @Param('name') name: string,
    @ZodBody(suspendBody) { reason }: z.output<typeof suspendBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<StreamView> {
    const view = await this.streams.suspend(name, reason ?? null);
    await this.#note(caller, 'stream.suspend', name, reason === undefined ? undefined : { reason });
    return view;
  }

  @Answers('Resumes an event stream where it left off', streamAnswer)
  @Post(':name/resume')
  @HttpCode(200)
  @Scopes('streams:write')
  async resume(@Param('name') name: string, @CurrentCaller() caller: Caller): Promise<StreamView> {
    const view = await this.streams.resume(name);
    await this.#note(caller, 'stream.resume', name);
    return view;
  }

  @Answers('Moves every consumer of an event stream; what was delivered may be delivered again', streamAnswer)
  @Post(':name/reset')
  @HttpCode(200)
  @Scopes('streams:write')
  async reset(
    @Param('name') name: string,
    @ZodBody(resetSchema) { from }: z.output<typeof resetSchema>,
    @CurrentCaller() caller: Caller,
  ): Promise<StreamView> {
    const view = await this.streams.reset(name, from);
    await this.#note(caller, 'stream.reset', name, { from });
    return view;
  }

  @Answers('Lists the batches that were given up, newest first', deadLettersAnswer)
  @Get(':name/dead-letters')
  @Scopes('streams:read')
  async deadLetters(
    @Param('name') name: string,
    @ZodQuery(listQuery) { limit }: z.output<typeof listQuery>,
  ): Promise<{ items: StreamDeadLetter[] }> {
    return { items: await this.streams.deadLetters(name, limit) };
  }

  @Answers('Delivers a batch that was given up; it stays a dead letter unless it is accepted', undefined, 204)
  @Post(':name/dead-letters/:id/retry')
  @HttpCode(204)
  @Scopes('streams:write')
  async retry(
    @ZodPath(letterPath) { name, id }: z.output<typeof letterPath>,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.streams.retryDeadLetter(name, id);
    await this.#note(caller, 'stream.retryDeadLetter', name, { id });
  }

  @Answers('Drops a batch that was given up', undefined, 204)
  @Post(':name/dead-letters/:id/drop')
  @HttpCode(204)
  @Scopes('streams:write')
  async drop(
    @ZodPath(letterPath) { name, id }: z.output<typeof letterPath>,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.streams.dropDeadLetter(name, id);
    await this.#note(caller, 'stream.dropDeadLetter', name, { id });
  }

  #note(caller: Caller, action: string, subject: string, detail?: Readonly<Record<string, unknown>>): Promise<void> {
    return this.audit.write({ actor: caller.name, action, subject, ...(detail && { detail }) });
  }
}
