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
  readonly steps: readonly { readonly step: string; readonly iteration: number; readonly output: unknown }[];
}

/** Of a run that a query calls `r`. */
export const endedRunColumns = sql`
  r.id, r.flow, r.version, r.state, r.error, r.started_at, r.finished_at,
  (select coalesce(
     jsonb_agg(
       jsonb_build_object('step', s.step, 'iteration', s.iteration, 'output', s.output)
       order by s.started_at, s.iteration),
     '[]')
   from run_step s where s.run_id = r.id and s.state = 'succeeded') as steps`;
export const hasEnded = sql<boolean>`r.state in ('completed', 'failed', 'cancelled')`;

/** What became of runs. */
export class EndedRuns {
  constructor(private readonly db: Kysely<Database>) {}

  /** Undefined while it goes on, or when there is none. */
  async find(id: string): Promise<EndedRun | undefined> {
    const { rows } = await sql<EndedRunRow>`
      select ${endedRunColumns} from run r where r.id = ${id} and ${hasEnded}
    `.execute(this.db);
    const [row] = rows;
    return row && endedRunOf(row);
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
    return rows.map(endedRunOf);
  }
}

export function endedRunOf({ started_at: startedAt, finished_at: finishedAt, steps, ...run }: EndedRunRow): EndedRun {
  const outputs: Record<string, unknown> = {};
  for (const { step, iteration, output } of steps) {
    // A step that is done for each of a list gives a list.
    if (iteration === 1) outputs[step] = [outputs[step]];
    if (iteration === 0) outputs[step] = output;
    else (outputs[step] as unknown[]).push(output);
  }
  const { id, flow, version, state, error } = run;
  return { id, flow, version, state, error, startedAt, finishedAt, outputs };
}
