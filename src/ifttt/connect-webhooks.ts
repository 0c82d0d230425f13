import { sql, type Kysely } from 'kysely';
import { storableJson, type Database } from '#platform';
import { PatchbayError } from '#sdk';

/** What the Connect API tells a service of its users. */
const known: Readonly<Record<string, readonly string[]>> = {
  connection: ['enabled', 'updated', 'disabled'],
  trigger_subscription: ['fired'],
};

const most = 1_000;

/** Keeps what IFTTT reports of connections, newest first, for the operator to look at. */
export class ConnectWebhooks {
  constructor(private readonly db: Kysely<Database>) {}

  /** @throws request.notFound, request.invalid */
  async record(type: string, event: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    if (!(known[type]?.includes(event) ?? false)) {
      throw new PatchbayError('request.notFound', { detail: `There is no webhook ${type}/${event}` });
    }
    if (typeof body['data'] !== 'object' || body['data'] === null) {
      throw new PatchbayError('request.invalid', { detail: 'data is missing' });
    }
    await this.db
      .insertInto('ifttt_webhook')
      .values({ type, event, body: storableJson(body) })
      .execute();
  }

  async list(limit: number): Promise<readonly { type: string; event: string; body: unknown; at: Date }[]> {
    return this.db
      .selectFrom('ifttt_webhook')
      .select(['type', 'event', 'body', 'at'])
      .orderBy('at', 'desc')
      .limit(limit)
      .execute();
  }

  async trim(): Promise<void> {
    await sql`
      delete from ifttt_webhook where id in (select id from ifttt_webhook order by at desc offset ${most})
    `.execute(this.db);
  }
}
