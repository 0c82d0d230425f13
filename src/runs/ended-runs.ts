import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';

/** A run that has ended, as those see it who wait for its end. */
export interface EndedRun {
  readonly id: string;
  readonly flow: string;
  /** Of the flow. */
  readonly version: string;
  readonly state: string;
  readonly error: { readonly code?: string; readonly message?: string; readonly fix?: string } | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** What each step gave, by its id. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The columns of {@link endedRunColumns}. */
export interface EndedRunRow {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly state: string;
  readonly error: EndedRun['error'];
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** Of a run that a query calls `r`. */
export const endedRunColumns = sql`r.id, r.flow, r.version, r.state, r.error, r.started_at, r.finished_at`;
export const hasEnded = sql<boolean>`r.state in ('completed', 'failed', 'cancelled')`;

/** What became of runs. */
export class EndedRuns {
  constructor(private readonly db: Kysely<Database>) {}

  /** Undefined while it goes on, or when there is none. */
  async find(id: string): Promise<EndedRun | undefined> {
    const { rows } = await sql<EndedRunRow>`
      select ${endedRunColumns} from run r where r.id = ${id} and ${hasEnded}
    `.execute(this.db);
    return (await this.withOutputs(rows))[0];
  }

  /** Those of them that have ended. */
  async endedOf(ids: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select r.id from run r where r.id = any(${ids}::uuid[]) and ${hasEnded}
    `.execute(this.db);
    return rows.map(({ id }) => id);
  }

  /** The newest of a flow that ended well. */
  async newest(flow: string, limit: number): Promise<EndedRun[]> {
    const { rows } = await sql<EndedRunRow>`
      select ${endedRunColumns} from (select * from run order by seq desc limit 2000) r
      where r.flow = ${flow} and r.state = 'completed' and r.kind <> 'reverted' order by r.seq desc limit ${limit}
    `.execute(this.db);
    return this.withOutputs(rows);
  }

  /** One for each row, in order. */
  async withOutputs(rows: readonly EndedRunRow[]): Promise<EndedRun[]> {
    if (rows.length === 0) return [];
    const steps = await this.db
      .selectFrom('run_step')
      .select(['run_id', 'step', 'iteration', 'output'])
      .where(
        'run_id',
        'in',
        rows.map(({ id }) => id),
      )
      .where('state', '=', 'succeeded')
      .orderBy('started_at')
      .orderBy('iteration')
      .execute();
    const outputs = new Map<string, Record<string, unknown>>();
    for (const { run_id, step, iteration, output } of steps) {
      const of = outputs.get(run_id) ?? {};
      outputs.set(run_id, of);
      // A step that is done for each of a list gives a list.
      if (iteration === 1) of[step] = [of[step]];
      if (iteration === 0) of[step] = output;
      else (of[step] as unknown[]).push(output);
    }
    return rows.map(({ id, flow, version, state, error, started_at, finished_at }) => ({
      id,
      flow,
      version,
      state,
      error,
      startedAt: started_at,
      finishedAt: finished_at,
      outputs: outputs.get(id) ?? {},
    }));
  }
}
