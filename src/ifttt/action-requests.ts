import { createHash, randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Database } from '#platform';
import type { FieldValues } from './offer.js';

export interface ActionRequest {
  readonly flow: string;
  readonly requestId: string | undefined;
  /** Of the Applet. */
  readonly source: string | undefined;
  readonly fields: FieldValues;
}

/** Two equal wishes of one Applet that are this close are one that IFTTT repeats. */
const windowSeconds = 120;
/** IFTTT gives up long before. */
const keptDays = 2;

/**
 * Remembers what IFTTT asked for before anything is done about it. There is no idempotency key in its protocol, so a repeat is
 * known by its request id, or by coming from the same Applet with the same fields within two minutes.
 */
export class ActionRequests {
  constructor(private readonly db: Kysely<Database>) {}

  /** The key of the event that is stored for it: the same for a repeat. */
  async keyOf({ flow, requestId, source, fields }: ActionRequest): Promise<string> {
    const fingerprint = source === undefined ? undefined : fingerprintOf(source, fields);
    if (requestId === undefined && fingerprint === undefined) return randomUUID();
    return this.db.transaction().execute(async (trx) => {
      // A repeat may come while the first one is still being dealt with.
      await sql`select pg_advisory_xact_lock(hashtextextended(${`ifttt ${flow}`}, 11))`.execute(trx);
      const { rows } = await sql<{ key: string }>`
        select key from ifttt_request
        where flow = ${flow} and (
          request_id = ${requestId ?? null}
          or (fingerprint = ${fingerprint ?? null} and at > now() - ${windowSeconds} * interval '1 second'))
        order by at limit 1
      `.execute(trx);
      const [known] = rows;
      if (known !== undefined) return known.key;
      const key = requestId ?? randomUUID();
      await trx
        .insertInto('ifttt_request')
        .values({ flow, request_id: requestId ?? null, fingerprint: fingerprint ?? null, key })
        .execute();
      return key;
    });
  }

  async trim(): Promise<void> {
    await sql`delete from ifttt_request where at < now() - ${keptDays} * interval '1 day'`.execute(this.db);
  }
}

function fingerprintOf(source: string, fields: FieldValues): string {
  const sorted = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([source, sorted]))
    .digest('hex');
}
