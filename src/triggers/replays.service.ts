import type { FlowsService } from '#flows';
import type { RunsQueries, RunsService, ReplayReport } from '#runs';
import type { SourcesService } from './sources.service.js';

const pageSize = 500;

export interface ReplayRequest {
  readonly flow: string;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly isDryRun: boolean;
}

/** Starts new runs of a flow from events that are stored already, oldest first. */
export class ReplaysService {
  constructor(
    private readonly parts: {
      readonly flows: FlowsService;
      readonly sources: SourcesService;
      readonly queries: RunsQueries;
      readonly runs: RunsService;
    },
  ) {}

  async replay(request: ReplayRequest): Promise<ReplayReport> {
    const { version } = this.parts.flows.get(request.flow).compiled.flow;
    const source = this.parts.sources.of(request.flow);
    // What is accepted from now on is live, and not replayed.
    const until = request.until === undefined ? new Date() : new Date(request.until);
    let after = { time: request.since ?? new Date(0).toISOString(), id: '00000000-0000-0000-0000-000000000000' };
    const total = { events: 0, ignored: 0, runs: [] as string[], calls: {} as Record<string, number> };
    for (;;) {
      const events = await this.parts.queries.events({ source: source.heardAs, after, until, limit: pageSize });
      const last = events.at(-1);
      if (last === undefined) return total;
      const active = events.filter((event) => event.status === 'active');
      const report = await this.parts.runs.replayEvents({ version, events: active, isDryRun: request.isDryRun });
      total.events += report.events;
      total.ignored += report.ignored;
      total.runs.push(...report.runs);
      for (const [uses, calls] of Object.entries(report.calls)) total.calls[uses] = (total.calls[uses] ?? 0) + calls;
      after = { time: last.acceptedAt, id: last.id };
    }
  }
}
