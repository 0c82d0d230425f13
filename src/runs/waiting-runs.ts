import type { Pool } from 'pg';
import { Looks, type Signals } from '#platform';
import type { Logger } from '#sdk';
import type { ReadyRun } from './intake.store.js';
import type { RunQueue } from './run-queue.js';

export interface WaitingRunsParts {
  readonly pool: Pool;
  readonly signals: Pick<Signals, 'on' | 'setInterest'>;
  readonly queue: Pick<RunQueue, 'wakeAgain'>;
  readonly log: Logger;
}

const everyMs = 2_000;
const mostAtOnce = 2_000;

// The journal says when a step is tried again, too.
const releaseWaiting = `
  with due as (
    select r.id, r.error ->> 'connection' as connection from run r
    where r.state = 'queued' and r.error ->> 'code' = 'connection.waiting' and r.next_at > now()
      and not exists (select 1 from connection_trouble t where t.connection = r.error ->> 'connection')
    order by r.seq limit $1
    for update of r skip locked),
  steps as (
    update run_step s set retry_at = null from due
    where s.run_id = due.id and s.state = 'retrying' and s.error ->> 'connection' = due.connection),
  released as (
    update run r set next_at = now(), hinted_at = now() from due where r.id = due.id
    returning r.id, r.flow, r.seq)
  select id, flow from released order by seq`;

/** Lets runs go on that waited for a connection, once it no longer needs authorisation; in the order in which they were accepted. */
export class WaitingRuns {
  readonly #looks: Looks;

  constructor(private readonly parts: WaitingRunsParts) {
    this.#looks = new Looks({
      look: () => this.release(),
      failed: (error) => parts.log.info('Waiting runs could not be looked at for now', { error }),
      everyMs,
      hears: { signals: parts.signals, topic: 'connections' },
    });
  }

  start(): void {
    void this.#looks.start();
  }

  stop(): Promise<void> {
    return this.#looks.stop();
  }

  async release(): Promise<void> {
    for (let isMore = true; isMore;) {
      const { rows } = await this.parts.pool.query<ReadyRun>({
        name: 'release-waiting',
        text: releaseWaiting,
        values: [mostAtOnce],
      });
      this.parts.queue.wakeAgain(rows);
      isMore = rows.length === mostAtOnce;
      if (rows.length > 0) this.parts.log.info('Runs that waited for a connection go on', { runs: rows.length });
    }
  }
}
