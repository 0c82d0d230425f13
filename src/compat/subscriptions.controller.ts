import { Body, Controller, Delete, Get, HttpCode, Param, Post, UseFilters } from '@nestjs/common';
import { CurrentCaller, Scopes, TakesBasic, type Caller } from '#platform';
import { root } from './compat-settings.js';
import { OldErrorsFilter } from './old-errors.filter.js';
import { OldSubscriptions } from './subscriptions.js';

@Controller(`${root}/subscriptions`)
@TakesBasic()
@UseFilters(OldErrorsFilter)
export class OldSubscriptionsController {
  constructor(private readonly subscriptions: OldSubscriptions) {}

  @Get()
  @Scopes('streams:read')
  list(): Promise<object[]> {
    return this.subscriptions.list();
  }

  @Post()
  @HttpCode(201)
  @Scopes('streams:write')
  create(@Body() body: unknown, @CurrentCaller() caller: Caller): Promise<object> {
    return this.subscriptions.create(body, caller);
  }

  @Get(':id')
  @Scopes('streams:read')
  get(@Param('id') id: string): Promise<object> {
    return this.subscriptions.get(id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Scopes('streams:write')
  delete(@Param('id') id: string, @CurrentCaller() caller: Caller): Promise<void> {
    return this.subscriptions.delete(id, caller);
  }

  @Post(':id/reset')
  @HttpCode(204)
  @Scopes('streams:write')
  reset(@Param('id') id: string, @Body() body: unknown, @CurrentCaller() caller: Caller): Promise<void> {
    return this.subscriptions.reset(id, body, caller);
  }
}
