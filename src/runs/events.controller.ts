import { Controller, Get, Param } from '@nestjs/common';
import { Answers, Scopes, ZodQuery } from '#platform';
import { z } from '#sdk';
import { uuidOf } from './runs.controller.js';
import { RunsQueries, type EventView, type RunView } from './runs.queries.js';
import { eventDetailAnswer, eventsAnswer } from './runs.schema.js';

const listQuery = z.object({
  source: z.string().optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

@Controller('api/events')
export class EventsController {
  constructor(private readonly queries: RunsQueries) {}

  @Answers('Lists the events that were stored, oldest first', eventsAnswer)
  @Get()
  @Scopes('events:read')
  async list(@ZodQuery(listQuery) query: z.output<typeof listQuery>): Promise<{ items: readonly EventView[] }> {
    const items = await this.queries.events({
      source: query.source,
      limit: query.limit,
      ...(query.since !== undefined && {
        after: { time: query.since, id: '00000000-0000-0000-0000-000000000000' },
      }),
      ...(query.until !== undefined && { until: new Date(query.until) }),
    });
    return { items: items.map(({ acceptedAt: _, ...event }) => event) };
  }

  @Answers('Gives an event with the runs that it started', eventDetailAnswer)
  @Get(':id')
  @Scopes('events:read')
  async get(@Param('id') id: string): Promise<EventView & { runs: readonly RunView[] }> {
    const event = await this.queries.event(uuidOf(id, 'event.notFound'));
    const { items } = await this.queries.runs({ event: event.id, limit: 100 });
    return { ...event, runs: items };
  }
}
