import { sql, type Kysely } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { inTransaction, type Database } from '#platform';
import { PatchbayError, type PublishedItem } from '#sdk';
import { publishedItem, type Item } from './items.js';

export interface NewDelivery {
  readonly subscription: string;
  readonly key: string;
  readonly item: Item;
  readonly position: string | null;
  /** Absent: as the subscription wishes. */
  readonly inBatch?: boolean;
}

/** Something to send; `body` is the JSON of one item. */
export interface Delivery {
  readonly seq: string;
  readonly key: string;
  readonly body: string;
  readonly inBatch: boolean;
  readonly attempts: number;
}

export interface Lane {
  readonly subscription: string;
  readonly trigger: string;
  readonly failures: number;
}

// Whoever writes deliveries locks their subscriptions first, in the order of their ids, so that no two wait for each other.
// An item that was withdrawn before it was sent and then heard again keeps the id that it had.
const add = `
  with listening as (
    select id, in_batch from zapier_subscription where id = any($1::uuid[]) and ended_at is null
    order by id for no key update)
  insert into zapier_delivery (subscription_id, key, item_id, item, position, in_batch)
  select s.id, n.key, n.item_id, n.item, n.position, coalesce(n.in_batch, s.in_batch)
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[])
    with ordinality as n (subscription, key, item_id, item, position, in_batch, place)
  join listening s on s.id = n.subscription
  order by s.id, n.place
  on conflict (subscription_id, key) do update
    set item = excluded.item, position = excluded.position, state = 'waiting', next_at = now()
    where zapier_delivery.state = 'withdrawn'`;

const move = `
  update zapier_subscription set cursor = $2, epoch = $3 where id = $1 and epoch <= $3 and ended_at is null returning id`;

/** The ledger: each subscription gets each event once, and what was sent is written down before the next is. */
export class DeliveriesStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly pool: Pool,
  ) {}

  /** What is there already is not added again. */
  async add(deliveries: readonly NewDelivery[]): Promise<void> {
    if (deliveries.length > 0) await this.pool.query({ name: 'zapier-add', text: add, values: columnsOf(deliveries) });
  }

  /** Items and place of a subscription, both or neither. @throws lease.lost also when the subscription is gone */
  async hear(
    subscription: string,
    deliveries: readonly NewDelivery[],
    at: { readonly cursor: string; readonly epoch: string },
  ): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      await this.#move(client, subscription, at);
      if (deliveries.length > 0) await client.query({ name: 'zapier-add', text: add, values: columnsOf(deliveries) });
    });
  }

  /** What was heard from there on and not sent yet is not sent, unless it is heard again. */
  async retract(
    subscription: string,
    at: { readonly from: string; readonly cursor: string; readonly epoch: string },
  ): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      await this.#move(client, subscription, at);
      await client.query({
        name: 'zapier-retract',
        text: `update zapier_delivery set state = 'withdrawn'
          where subscription_id = $1 and position >= $2 and state = 'waiting'`,
        values: [subscription, at.from],
      });
    });
  }

  /** Keeps it and hands it to all who listen. */
  async publish(item: PublishedItem & { readonly inBatch: boolean }): Promise<boolean> {
    const { id, ...rest } = publishedItem(item);
    const { rows } = await this.pool.query<{ id: string }>({
      name: 'zapier-publish',
      text: `
        with kept as (
          insert into zapier_item (event, id, item) values ($1, $2, $3) on conflict do nothing returning id),
        told as (
          insert into zapier_delivery (subscription_id, key, item_id, item, in_batch)
          select s.id, kept.id, $2, $3, $4 or s.in_batch from kept
          join zapier_subscription s on s.trigger = 'flow_published' and s.topic = $1 and s.ended_at is null
          on conflict (subscription_id, key) do nothing)
        select id from kept`,
      values: [item.slug, id, JSON.stringify(rest), item.inBatch],
    });
    return rows.length > 0;
  }

  /** Subscriptions for which something is due now, without those that asked for patience. */
  async lanes(limit: number): Promise<Lane[]> {
    const { rows } = await sql<Lane>`
      select s.id as subscription, s.trigger, s.failures from zapier_subscription s
      where s.ended_at is null and (s.paused_until is null or s.paused_until <= now())
        and exists (select from zapier_delivery d
          where d.subscription_id = s.id and d.state = 'waiting' and d.next_at <= now())
      order by s.delivered_at nulls first limit ${limit}
    `.execute(this.db);
    return rows;
  }

  /** In the order in which they were heard. */
  async due(subscription: string, limit: number): Promise<Delivery[]> {
    const { rows } = await this.pool.query<{
      seq: string;
      key: string;
      item_id: string;
      item: string;
      in_batch: boolean;
      attempts: number;
    }>({
      name: 'zapier-due',
      text: `select seq, key, item_id, item, in_batch, attempts from zapier_delivery
        where subscription_id = $1 and state = 'waiting' and next_at <= now() order by seq limit $2`,
      values: [subscription, limit],
    });
    return rows.map(({ seq, key, item_id, item, in_batch, attempts }) => ({
      seq,
      key,
      body: bodyOf(item_id, item),
      inBatch: in_batch,
      attempts,
    }));
  }

  /** @param isLast it was told what it waited for, and ends with it */
  async markSent(subscription: string, keys: readonly string[], isLast: boolean): Promise<void> {
    await this.pool.query({
      name: 'zapier-sent',
      text: `
        with sent as (
          update zapier_delivery set state = 'sent', sent_at = now(), attempts = attempts + 1, error = null
          where subscription_id = $1 and key = any($2::text[]))
        update zapier_subscription
        set delivered_at = now(), failures = 0, error = null, ended_at = case when $3 then now() else ended_at end
        where id = $1`,
      values: [subscription, keys, isLast],
    });
  }

  async markFailed(
    subscription: string,
    keys: readonly string[],
    failure: { readonly error: object; readonly againMs: number },
  ): Promise<void> {
    await this.pool.query({
      name: 'zapier-failed',
      text: `
        with failed as (
          update zapier_delivery
          set attempts = attempts + 1, error = $3, next_at = now() + $4 * interval '1 ms'
          where subscription_id = $1 and key = any($2::text[]) and state = 'waiting')
        update zapier_subscription set failures = failures + 1, error = $3 where id = $1`,
      values: [subscription, keys, JSON.stringify(failure.error), Math.ceil(failure.againMs)],
    });
  }

  /** Nothing is sent to it for so long, whoever sends. */
  async pause(subscription: string, forMs: number): Promise<void> {
    await this.pool.query({
      name: 'zapier-pause',
      text: `update zapier_subscription set paused_until = now() + $2 * interval '1 ms' where id = $1`,
      values: [subscription, Math.ceil(forMs)],
    });
  }

  /** How many requests went to each subscription within the last minutes; the limits of the other side count those. */
  async sentLately(minutes: number): Promise<{ subscription: string; requests: number }[]> {
    const { rows } = await sql<{ subscription: string; requests: string }>`
      select subscription_id as subscription, count(*) as requests from zapier_delivery
      where state = 'sent' and sent_at > now() - ${minutes} * interval '1 minute' group by 1
    `.execute(this.db);
    return rows.map((row) => ({ subscription: row.subscription, requests: Number(row.requests) }));
  }

  /** The newest that were sent for such a trigger. */
  async newestSent(trigger: string, topic: string, limit: number): Promise<Item[]> {
    const { rows } = await sql<{ item_id: string; item: string }>`
      select distinct on (d.item_id) d.item_id, d.item from zapier_subscription s
      cross join lateral (
        select item_id, item from zapier_delivery where subscription_id = s.id and state = 'sent'
        order by sent_at desc limit ${limit}) d
      where s.trigger = ${trigger} and s.topic = ${topic} and s.ended_at is null limit ${limit}
    `.execute(this.db);
    return rows.map(({ item_id, item }) => JSON.parse(bodyOf(item_id, item)) as Item);
  }

  async newestPublished(event: string, limit: number): Promise<Item[]> {
    const rows = await this.db
      .selectFrom('zapier_item')
      .select(['id', 'item'])
      .where('event', '=', event)
      .orderBy('seq', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ id, item }) => JSON.parse(bodyOf(id, item)) as Item);
  }

  /**
   * Forgets what is old. What could not be sent for long is given up; a step that waits for it is not told any more, which
   * outlasts what was to be told. What others write at the moment is left for the next time.
   *
   * @returns how many were given up
   */
  async clean(days: { readonly kept: number; readonly tried: number }): Promise<number> {
    const { rows } = await sql`
      with old as (
        select d.subscription_id, d.key from zapier_delivery d join zapier_subscription s on s.id = d.subscription_id
        where d.state = 'waiting' and d.created_at < now() - ${days.tried} * interval '1 day'
        for no key update skip locked),
      given_up as (
        update zapier_delivery d set state = 'given-up' from old
        where d.subscription_id = old.subscription_id and d.key = old.key returning d.subscription_id),
      ended as (
        update zapier_subscription set ended_at = now()
        where awaits is not null and ended_at is null and id in (select subscription_id from given_up))
      select from given_up
    `.execute(this.db);
    await sql`
      delete from zapier_delivery d using (
        select subscription_id, key from zapier_delivery
        where state <> 'waiting' and created_at < now() - ${days.kept} * interval '1 day' for update skip locked) as old
      where d.subscription_id = old.subscription_id and d.key = old.key
    `.execute(this.db);
    await sql`delete from zapier_item where created_at < now() - ${days.kept} * interval '1 day'`.execute(this.db);
    await sql`
      delete from zapier_subscription where ended_at < now() - ${days.kept} * interval '1 day'
    `.execute(this.db);
    return rows.length;
  }

  async #move(
    client: PoolClient,
    subscription: string,
    { cursor, epoch }: { readonly cursor: string; readonly epoch: string },
  ): Promise<void> {
    const { rowCount } = await client.query({ name: 'zapier-move', text: move, values: [subscription, cursor, epoch] });
    if (rowCount === 1) return;
    throw new PatchbayError('lease.lost', { detail: `The subscription ${subscription} is gone, or heard elsewhere.` });
  }
}

function columnsOf(deliveries: readonly NewDelivery[]): unknown[] {
  // Twice the same key in one statement would be refused.
  const each = [...new Map(deliveries.map((one) => [`${one.subscription} ${one.key}`, one])).values()];
  return [
    each.map(({ subscription }) => subscription),
    each.map(({ key }) => key),
    each.map(({ item }) => item.id),
    each.map(({ item: { id: _, ...rest } }) => JSON.stringify(rest)),
    each.map(({ position }) => position),
    each.map(({ inBatch }) => inBatch ?? null),
  ];
}

function bodyOf(id: string, item: string): string {
  const rest = item.slice(1);
  return `{"id":${JSON.stringify(id)}${rest === '}' ? '' : ','}${rest}`;
}
