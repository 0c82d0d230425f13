import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import { EndedRuns, endedRunColumns, endedRunOf, hasEnded, type EndedRun, type EndedRunRow } from '#runs';

/** A run that has ended, and who has not been told yet. */
export interface UntoldRun {
  readonly subscription: string;
  readonly run: EndedRun;
}

interface Row extends EndedRunRow {
  readonly subscription: string;
}

const columns = sql`s.id as subscription, ${endedRunColumns}`;

/** Runs whose end somebody at Zapier waits for. */
export class EndedRunsStore extends EndedRuns {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    super(db);
    this.#db = db;
  }

  /** Of the flows that somebody listens to; those that ended since, oldest first. */
  async untold(since: Date, limit: number): Promise<UntoldRun[]> {
    const { rows } = await sql<Row>`
      select ${columns} from zapier_subscription s join run r on r.flow = s.topic
      where s.trigger = 'flow_finished' and s.ended_at is null
        and r.finished_at >= ${since} and r.finished_at >= s.cursor::timestamptz and ${hasEnded} and r.kind <> 'reverted'
        and (s.input -> 'states' is null or s.input -> 'states' ? r.state)
        and not exists (
          select from zapier_delivery d where d.subscription_id = s.id and d.key = r.id || ':' || r.state)
      order by r.finished_at limit ${limit}
    `.execute(this.#db);
    return rows.map(told);
  }

  /** Those that a step of a Zap waits for. */
  async awaited(limit: number): Promise<UntoldRun[]> {
    const { rows } = await sql<Row>`
      select ${columns} from zapier_subscription s join run r on r.id = s.awaits
      where s.awaits is not null and s.trigger = 'run_finished' and s.ended_at is null and ${hasEnded}
        and not exists (select from zapier_delivery d where d.subscription_id = s.id)
      limit ${limit}
    `.execute(this.#db);
    return rows.map(told);
  }

  /** Transactions that a step of a Zap waits for and that are final. */
  async awaitedTransactions(limit: number): Promise<{ subscription: string; transaction: string }[]> {
    const { rows } = await sql<{ subscription: string; transaction: string }>`
      select s.id as subscription, t.id as transaction
      from zapier_subscription s join chain_transaction t on t.id = s.awaits
      where s.awaits is not null and s.trigger = 'transaction_final' and s.ended_at is null and t.is_final
        and not exists (select from zapier_delivery d where d.subscription_id = s.id)
      limit ${limit}
    `.execute(this.#db);
    return rows;
  }

  /** RFC 3339, by the clock of the database, which stamps the runs. */
  async now(): Promise<string> {
    const { rows } = await sql<{ at: Date }>`select now() as at`.execute(this.#db);
    return (rows[0]?.at ?? new Date()).toISOString();
  }
}

function told({ subscription, ...row }: Row): UntoldRun {
  return { subscription, run: endedRunOf(row) };
}
