import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import type { Logger } from '#sdk';

const everyMs = 10 * 60_000;
const batch = 1_000;

/**
 * Deletes calls that are older than events are kept. A flow that was paused for longer has missed them. What another process
 * deletes at the moment is left to it: two that waited for each other would be a deadlock.
 */
export class GatewayCallRetention {
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(
    private readonly parts: { readonly db: Kysely<Database>; readonly eventDays: number; readonly log: Logger },
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

  /** @returns how many were deleted */
  async clean(): Promise<number> {
    let total = 0;
    for (;;) {
      const { rows } = await sql`
        delete from gateway_call where id in (
          select id from gateway_call where at < now() - ${this.parts.eventDays} * interval '1 day'
          limit ${batch} for update skip locked)
        returning id`.execute(this.parts.db);
      total += rows.length;
      if (rows.length < batch || this.#isStopped) return total;
    }
  }
}
