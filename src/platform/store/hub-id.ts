import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Database } from './schema.js';

const name = 'hub.id';

/** Tells this hub from others, for as long as its database lives: twelve hexadecimal digits, the same in all its processes. */
export async function hubIdOf(db: Kysely<Database>): Promise<string> {
  await db
    .insertInto('setting')
    .values({ name, value: JSON.stringify(randomBytes(6).toString('hex')) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await db.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirstOrThrow();
  return String(row.value);
}
