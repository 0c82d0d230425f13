import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import { PatchbayError, type OracleResumptions, type Resumption } from '#sdk';

type Answer = NonNullable<Resumption['answer']>;

const keptDays = 7;

/** Answers of adapters elsewhere that come later; each address takes one, for a time. */
export class ResumptionsStore implements OracleResumptions {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly publicUrl: string,
  ) {}

  async open(key: string, expiresInMs: number): Promise<Resumption> {
    const id = randomUUID();
    const { rows } = await sql<{ id: string; answer: string | null; expired: boolean }>`
      insert into oracle_resumption as known (id, key, expires_at)
      values (${id}, ${key}, now() + ${expiresInMs} * interval '1 ms')
      on conflict (key) do update set key = known.key
      returning id, answer, expires_at <= now() as expired
    `.execute(this.db);
    const [row] = rows;
    if (row === undefined) throw new PatchbayError('internal', { detail: 'A resumption was not stored' });
    const address = { url: `${this.publicUrl}/oracle/resume/${row.id}`, isNew: row.id === id };
    if (row.answer !== null) return { ...address, state: 'answered', answer: JSON.parse(row.answer) as Answer };
    return { ...address, state: row.expired ? 'expired' : 'waiting' };
  }

  /** @throws request.notFound when it is not known or has expired, request.conflict when it was answered before */
  async answer(id: string, answer: Answer): Promise<void> {
    const { rows } = await sql<{ isOurs: boolean }>`
      with answered as (
        update oracle_resumption set answer = ${JSON.stringify(answer)}, answered_at = now()
        where id = ${id} and answer is null and expires_at > now() returning id)
      select exists (select from answered) as "isOurs" from oracle_resumption where id = ${id} and expires_at > now()
    `.execute(this.db);
    const [row] = rows;
    if (row === undefined) throw new PatchbayError('request.notFound', { detail: 'Nobody waits here for an answer.' });
    if (!row.isOurs) throw new PatchbayError('request.conflict', { detail: 'The answer was given before.' });
  }

  async trim(): Promise<void> {
    await sql`
      delete from oracle_resumption where expires_at < now() - ${keptDays} * interval '1 day'
    `.execute(this.db);
  }
}
