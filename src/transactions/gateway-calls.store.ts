import type { Kysely } from 'kysely';
import type { GatewayCall, NewTransaction } from '#evm';
import { storableJson, type Database } from '#platform';

/** Keeps calls that flows wait for; a send's in the transaction that reserves its nonce. The same id again is the same call. */
export async function keepGatewayCalls(db: Kysely<Database>, calls: readonly GatewayCall[]): Promise<void> {
  if (calls.length === 0) return;
  await db
    .insertInto('gateway_call')
    .values(calls.map((call) => ({ id: call.id, item: storableJson(call) })))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** What sent a transaction, now that it has its id; empty where no flow waits for that. */
export function callOf(sent: NewTransaction | undefined, id: string): GatewayCall[] {
  return sent?.call === undefined ? [] : [{ ...sent.call, id, transaction: id }];
}
