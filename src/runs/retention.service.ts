import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import type { Logger } from '#sdk';

const everyMs = 10 * 60_000;
const batch = 1_000;

/**
 * Deletes what is old and done, in small batches. Dead letters stay until somebody has dealt with them,
 * and so does what they are to undo: its journal says what was done. What
 * somebody else is at stays until the next time.
 */
export class RetentionService {
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(
    private readonly parts: {
      readonly db: Kysely<Database>;
      readonly runDays: number;
      readonly eventDays: number;
      readonly log: Logger;
    },
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.clean().catch((error: unknown) => this.parts.log.info('Cleaning was put off', { error }));
    }, everyMs).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  /** @returns how many runs and events were deleted */
  async clean(): Promise<{ runs: number; events: number }> {
    const runs = await this.#repeat(sql`
      with due as (
        select id from run done where state in ('completed', 'cancelled')
          and finished_at < now() - ${this.parts.runDays} * interval '1 day'
          and not exists (
            select 1 from run r where r.event_id = done.event_id and r.parent_id = done.id and r.kind = 'reverted'
              and r.state not in ('completed', 'cancelled')) limit ${batch}
        for update skip locked),
      old as (delete from run r using due where r.id = due.id returning r.id),
      steps as (delete from run_step where run_id in (select id from old))
      select id from old`);
    const events = await this.#repeat(sql`
      with due as (
        select id from event old where created_at < now() - ${this.parts.eventDays} * interval '1 day'
          and not exists (select 1 from run where event_id = old.id) limit ${batch}
        for update skip locked)
      delete from event e using due where e.id = due.id
      returning e.id`);
    return { runs, events };
  }

  async #repeat(statement: ReturnType<typeof sql>): Promise<number> {
    let total = 0;
    for (;;) {
      const { rows } = await statement.execute(this.parts.db);
      total += rows.length;
      if (rows.length < batch || this.#isStopped) return total;
    }
  }
}
