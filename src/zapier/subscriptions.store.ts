import { sql, type Kysely } from 'kysely';
import type { Database, Vault } from '#platform';
import type { TriggerName } from './zapier.schema.js';

/** What a step of a Zap may wait for: the end of one run, or of one transaction. It is told once. */
export const awaitedTriggers = ['run_finished', 'transaction_final'] as const;

export type SubscriptionTrigger = TriggerName | (typeof awaitedTriggers)[number];

export interface NewSubscription {
  readonly hash: string;
  readonly trigger: SubscriptionTrigger;
  readonly topic: string;
  readonly input: object;
  /** Id of the run or the transaction that a step waits for. */
  readonly awaits: string | null;
  readonly targetUrl: string;
  readonly inBatch: boolean;
  readonly cursor: string | null;
  readonly createdBy: string;
}

export interface Subscription {
  readonly id: string;
  readonly trigger: SubscriptionTrigger;
  readonly topic: string;
  readonly input: unknown;
  readonly cursor: string | null;
}

export interface SubscriptionState extends Subscription {
  readonly target: string;
  readonly inBatch: boolean;
  readonly waiting: number;
  readonly pausedUntil: Date | null;
  readonly failures: number;
  readonly error: unknown;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly deliveredAt: Date | null;
}

const columns = ['id', 'trigger', 'topic', 'input', 'cursor'] as const;

/** Who wants to be told what. The target is a credential, and kept like one. */
export class SubscriptionsStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly vault: Vault,
  ) {}

  /** The same again gives the same. */
  async add(wanted: NewSubscription): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const { hash, trigger, topic, input, awaits, targetUrl, inBatch, cursor, createdBy } = wanted;
    const added = await this.db
      .insertInto('zapier_subscription')
      .values({
        hash,
        trigger,
        topic,
        input: JSON.stringify(input),
        awaits,
        sealed: this.vault.seal(targetUrl, context(hash)),
        in_batch: inBatch,
        cursor,
        created_by: createdBy,
      })
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .returning('id')
      .executeTakeFirst();
    if (added) return { id: added.id, isNew: true };
    const known = await this.db
      .selectFrom('zapier_subscription')
      .select('id')
      .where('hash', '=', hash)
      .executeTakeFirst();
    // It went away between the two statements.
    return known ? { id: known.id, isNew: false } : this.add(wanted);
  }

  /** With everything that waits for it. @returns whether it was there */
  async remove(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.db
      .deleteFrom('zapier_subscription')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  /** It was told what it waited for. The row stays for a while, so that the same request does not begin anew. */
  async end(id: string): Promise<void> {
    await this.db.updateTable('zapier_subscription').set({ ended_at: new Date() }).where('id', '=', id).execute();
  }

  async count(): Promise<number> {
    const { n } = await this.db
      .selectFrom('zapier_subscription')
      .select((eb) => eb.fn.countAll<string>().as('n'))
      .where('ended_at', 'is', null)
      .where('awaits', 'is', null)
      .executeTakeFirstOrThrow();
    return Number(n);
  }

  async of(triggers: readonly SubscriptionTrigger[]): Promise<Subscription[]> {
    const rows = await this.db
      .selectFrom('zapier_subscription')
      .select(columns)
      .where('trigger', 'in', [...triggers])
      .where('ended_at', 'is', null)
      .execute();
    return rows.map((row) => ({ ...row, trigger: row.trigger as SubscriptionTrigger }));
  }

  /** For people; targets are shown without what opens them. */
  async list(limit: number): Promise<SubscriptionState[]> {
    const rows = await this.db
      .selectFrom('zapier_subscription as s')
      .selectAll()
      .select(
        sql<string>`(select count(*) from zapier_delivery d where d.subscription_id = s.id and d.state = 'waiting')`.as(
          'waiting',
        ),
      )
      .where('ended_at', 'is', null)
      .orderBy('created_at', 'desc')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      trigger: row.trigger as SubscriptionTrigger,
      topic: row.topic,
      input: row.input,
      cursor: row.cursor,
      target: new URL(this.vault.open(row.sealed, context(row.hash))).origin,
      inBatch: row.in_batch,
      waiting: Number(row.waiting),
      pausedUntil: row.paused_until,
      failures: row.failures,
      error: row.error,
      createdBy: row.created_by,
      createdAt: row.created_at,
      deliveredAt: row.delivered_at,
    }));
  }

  /** Undefined: it is gone. */
  async target(id: string): Promise<string | undefined> {
    const row = await this.db
      .selectFrom('zapier_subscription')
      .select(['hash', 'sealed'])
      .where('id', '=', id)
      .executeTakeFirst();
    return row && this.vault.open(row.sealed, context(row.hash));
  }

  /** Where something common to several subscriptions was left off. */
  async place(name: string): Promise<string | undefined> {
    const row = await this.db.selectFrom('zapier_place').select('cursor').where('name', '=', name).executeTakeFirst();
    return row?.cursor;
  }

  /** What an earlier holder of the lease says is not heard any more. */
  async setPlace(name: string, cursor: string, epoch: string): Promise<void> {
    await sql`
      insert into zapier_place (name, cursor, epoch) values (${name}, ${cursor}, ${epoch})
      on conflict (name) do update set cursor = excluded.cursor, epoch = excluded.epoch
      where zapier_place.epoch <= excluded.epoch
    `.execute(this.db);
  }
}

function context(hash: string): string {
  return `zapier:${hash}`;
}
