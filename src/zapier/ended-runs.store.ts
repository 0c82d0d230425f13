import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import type { EndedRun } from './items.js';

/** A run that has ended, and who has not been told yet. */
export interface UntoldRun {
  readonly subscription: string;
  readonly run: EndedRun;
}

interface Row {
  readonly subscription: string;
  readonly id: string;
  readonly flow: string;
  readonly state: string;
  readonly error: EndedRun['error'];
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

const columns = sql`s.id as subscription, r.id, r.flow, r.state, r.error, r.started_at, r.finished_at`;
const ended = sql`r.state in ('completed', 'failed', 'cancelled')`;

/** Runs as those see them who wait for their end. */
export class EndedRunsStore {
  constructor(private readonly db: Kysely<Database>) {}

  /** Of the flows that somebody listens to; those that ended since, oldest first. */
  async untold(since: Date, limit: number): Promise<UntoldRun[]> {
    const { rows } = await sql<Row>`
      select ${columns} from zapier_subscription s join run r on r.flow = s.topic
      where s.trigger = 'flow_finished' and s.ended_at is null
        and r.finished_at >= ${since} and r.finished_at >= s.cursor::timestamptz and ${ended} and r.kind <> 'reverted'
        and (s.input -> 'states' is null or s.input -> 'states' ? r.state)
        and not exists (
          select from zapier_delivery d where d.subscription_id = s.id and d.key = r.id || ':' || r.state)
      order by r.finished_at limit ${limit}
    `.execute(this.db);
    return this.#withOutputs(rows);
  }

  /** Those that a step of a Zap waits for. */
  async awaited(limit: number): Promise<UntoldRun[]> {
    const { rows } = await sql<Row>`
      select ${columns} from zapier_subscription s join run r on r.id = s.awaits
      where s.awaits is not null and s.trigger = 'run_finished' and s.ended_at is null and ${ended}
        and not exists (select from zapier_delivery d where d.subscription_id = s.id)
      limit ${limit}
    `.execute(this.db);
    return this.#withOutputs(rows);
  }

  /** Transactions that a step of a Zap waits for and that are final. */
  async awaitedTransactions(limit: number): Promise<{ subscription: string; transaction: string }[]> {
    const { rows } = await sql<{ subscription: string; transaction: string }>`
      select s.id as subscription, t.id as transaction
      from zapier_subscription s join chain_transaction t on t.id = s.awaits
      where s.awaits is not null and s.trigger = 'transaction_final' and s.ended_at is null and t.is_final
        and not exists (select from zapier_delivery d where d.subscription_id = s.id)
      limit ${limit}
    `.execute(this.db);
    return rows;
  }

  /** Undefined while it goes on, or when there is none. */
  async find(id: string): Promise<EndedRun | undefined> {
    const { rows } = await sql<Row>`
      select r.id as subscription, r.id, r.flow, r.state, r.error, r.started_at, r.finished_at from run r
      where r.id = ${id} and ${ended}
    `.execute(this.db);
    return (await this.#withOutputs(rows))[0]?.run;
  }

  /** The newest of a flow that ended well. */
  async newest(flow: string, limit: number): Promise<EndedRun[]> {
    const { rows } = await sql<Row>`
      select r.id as subscription, r.id, r.flow, r.state, r.error, r.started_at, r.finished_at
      from (select * from run order by seq desc limit 2000) r
      where r.flow = ${flow} and r.state = 'completed' and r.kind <> 'reverted' order by r.seq desc limit ${limit}
    `.execute(this.db);
    return (await this.#withOutputs(rows)).map(({ run }) => run);
  }

  /** RFC 3339, by the clock of the database, which stamps the runs. */
  async now(): Promise<string> {
    const { rows } = await sql<{ at: Date }>`select now() as at`.execute(this.db);
    return (rows[0]?.at ?? new Date()).toISOString();
  }

  async #withOutputs(rows: readonly Row[]): Promise<UntoldRun[]> {
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
    return rows.map(({ subscription, id, flow, state, error, started_at, finished_at }) => ({
      subscription,
      run: {
        id,
        flow,
        state,
        error,
        startedAt: started_at,
        finishedAt: finished_at,
        outputs: outputs.get(id) ?? {},
      },
    }));
  }
}
