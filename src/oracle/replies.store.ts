import { createHash } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { storableJson, type Database, type Vault } from '#platform';

export interface OwedReply {
  readonly flow: string;
  readonly run: string;
  readonly targetUrl: string;
  readonly jobRunId: string | undefined;
}

/** A reply whose run has ended and whose text is not written down yet. */
export interface UnwrittenReply {
  readonly id: string;
  readonly run: string;
  readonly jobRunId: string | undefined;
}

export interface DueReply {
  readonly id: string;
  readonly flow: string;
  readonly run: string;
  /** Where it goes. One that cannot be read holds up none of the others. @throws vault.unreadable */
  readonly openTarget: () => string;
  readonly body: string;
  /** Attempts before this one. */
  readonly attempts: number;
  readonly refusals: number;
  readonly createdAt: Date;
}

export interface FailedAttempt {
  readonly isRefusal: boolean;
  readonly isLast: boolean;
  readonly retryInMs: number;
  readonly error: { readonly code: string; readonly message: string };
}

/** The ledger of answers that adapters of the hub owe. */
export class RepliesStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly vault: Vault,
  ) {}

  /** When it has returned, the answer will be sent, whatever happens to this process. */
  async add({ flow, run, targetUrl, jobRunId }: OwedReply): Promise<void> {
    const hash = createHash('sha256').update(targetUrl).digest('hex');
    await this.db
      .insertInto('oracle_reply')
      .values({
        flow,
        run,
        target_hash: hash,
        sealed: this.vault.seal(targetUrl, context(run, hash)),
        job_run_id: jobRunId ?? null,
        body: null,
      })
      .onConflict((conflict) => conflict.columns(['run', 'target_hash']).doNothing())
      .execute();
  }

  async unwritten(limit: number): Promise<UnwrittenReply[]> {
    const { rows } = await sql<{ id: string; run: string; job_run_id: string | null }>`
      select p.id, p.run, p.job_run_id from oracle_reply p join run r on r.id = p.run
      where p.state = 'waiting' and p.body is null and r.state in ('completed', 'failed', 'cancelled')
      order by p.created_at limit ${limit}
    `.execute(this.db);
    return rows.map(({ id, run, job_run_id: jobRunId }) => ({ id, run, jobRunId: jobRunId ?? undefined }));
  }

  /** What was written first stays. */
  async write(id: string, body: string): Promise<void> {
    await this.db.updateTable('oracle_reply').set({ body }).where('id', '=', id).where('body', 'is', null).execute();
  }

  /** Those that are due, kept from other processes for a while; a process that dies lets go of them by then. */
  async claim(limit: number, keptMs: number): Promise<DueReply[]> {
    const { rows } = await sql<{
      id: string;
      flow: string;
      run: string;
      target_hash: string;
      sealed: Buffer;
      body: string;
      attempts: number;
      refusals: number;
      created_at: Date;
    }>`
      with due as (
        select id from oracle_reply where state = 'waiting' and body is not null and next_at <= now()
        order by next_at limit ${limit} for update skip locked)
      update oracle_reply p set next_at = now() + ${keptMs} * interval '1 ms'
      from due where p.id = due.id
      returning p.id, p.flow, p.run, p.target_hash, p.sealed, p.body, p.attempts, p.refusals, p.created_at
    `.execute(this.db);
    return rows.map(({ target_hash, sealed, created_at: createdAt, ...reply }) => ({
      ...reply,
      createdAt,
      openTarget: () => this.vault.open(sealed, context(reply.run, target_hash)),
    }));
  }

  /** Told again it is the same. */
  async sent(id: string): Promise<void> {
    await sql`
      update oracle_reply set state = 'sent', attempts = attempts + 1, sent_at = now(), error = null
      where id = ${id} and state <> 'sent'
    `.execute(this.db);
  }

  /** What another process has sent meanwhile stays so. */
  async failed(id: string, { isRefusal, isLast, retryInMs, error }: FailedAttempt): Promise<void> {
    await sql`
      update oracle_reply set
        state = ${isLast ? 'given-up' : 'waiting'},
        attempts = attempts + 1,
        refusals = refusals + ${isRefusal ? 1 : 0},
        next_at = now() + ${retryInMs} * interval '1 ms',
        error = ${storableJson(error)}::jsonb
      where id = ${id} and state = 'waiting'
    `.execute(this.db);
  }

  async hasWaiting(): Promise<boolean> {
    const row = await this.db
      .selectFrom('oracle_reply')
      .select('id')
      .where('state', '=', 'waiting')
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async trim(days: number): Promise<void> {
    await sql`
      delete from oracle_reply where state <> 'waiting' and created_at < now() - ${days} * interval '1 day'
    `.execute(this.db);
  }
}

function context(run: string, hash: string): string {
  return `oracle reply:${run}:${hash}`;
}
