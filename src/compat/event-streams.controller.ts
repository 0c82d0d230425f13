import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, UseFilters } from '@nestjs/common';
import { CurrentCaller, Scopes, TakesBasic, type Caller } from '#platform';
import { root } from './compat-settings.js';
import { OldStreams } from './event-streams.js';
import { OldErrorsFilter } from './old-errors.filter.js';

@Controller(`${root}/eventstreams`)
@TakesBasic()
@UseFilters(OldErrorsFilter)
export class OldStreamsController {
  constructor(private readonly streams: OldStreams) {}

  @Get()
  @Scopes('streams:read')
  list(): Promise<object[]> {
    return this.streams.list();
  }

  @Post()
  @HttpCode(200)
  @Scopes('streams:write')
  create(@Body() body: unknown, @CurrentCaller() caller: Caller): Promise<object> {
    return this.streams.create(body, caller);
  }

  @Get(':id')
  @Scopes('streams:read')
  get(@Param('id') id: string): Promise<object> {
    return this.streams.get(id);
  }

  @Patch(':id')
  @Scopes('streams:write')
  change(@Param('id') id: string, @Body() body: unknown, @CurrentCaller() caller: Caller): Promise<object> {
    return this.streams.change(id, body, caller);
  }

  @Delete(':id')
  @HttpCode(204)
  @Scopes('streams:write')
  delete(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    return this.streams.delete(id, caller);
  }

  @Post(':id/suspend')
  @HttpCode(204)
  @Scopes('streams:write')
  suspend(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    return this.streams.suspend(id, caller);
  }

  @Post(':id/resume')
  @HttpCode(204)
  @Scopes('streams:write')
  resume(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    return this.streams.resume(id, caller);
  }
}
