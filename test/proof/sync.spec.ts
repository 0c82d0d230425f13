import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { SyncSides, memberBalances, wallet, type SyncAnswer } from '../builders/sync-stage.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';

const token = 10n ** 18n;
const kills = 8;
const changes = 60;
const everyNth = Math.floor(changes / kills);
/**
 * The last ones change on both sides at once. As setMember sets all of a member, who changes one value of it can
 * overwrite another one that has just been changed, so of these only equality is promised.
 */
const members = { onChain: [1, 2, 3, 4], inSalesforce: [5, 6, 7, 8], onBoth: [9, 10, 11, 12] };
const all = Object.values(members).flat();

describe('a two-way sync, with the hub killed', () => {
  let sides: SyncSides;
  let database: TestDatabase;
  let hub: HubProcess;
  let folder: string;

  beforeAll(async () => {
    [sides, database] = await Promise.all([SyncSides.start(), createTestDatabase()]);
    for (const index of all) await sides.onChain('setMember', [wallet(index), `Member ${index}`, 'silver', 0n]);
    folder = await mkdtemp(join(tmpdir(), 'patchbay-book-'));
    const book = join(folder, 'local.yaml');
    await sides.writeBook(book);
    hub = await HubProcess.create({
      databaseUrl: database.url,
      flows: { 'members.yaml': memberBalances },
      configuration: JSON.stringify(sides.hubSettings(book)),
    });
    await hub.start();
  }, 60_000);

  afterAll(async () => {
    await hub.remove();
    await sides.stop();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const sync = () => hub.get<SyncAnswer>('/api/syncs/member-balances');

  it(`given ${changes} changes on both sides, when the hub is killed ${kills} times meanwhile, then both sides are equal, and each change was written to the other side once`, async () => {
    await eventually(async () => (await sync()).pass?.state === 'finished', { what: 'The backfill' });
    const before = { writes: sides.rowsWritten, transactions: await sides.transactions() };
    const made = { onChain: 0, inSalesforce: 0 };
    const points = new Map<number, number>();
    const tiers = new Map<number, string>();

    const changeOnChain = async (member: number) => {
      const { name, tier } = await sides.member(wallet(member));
      points.set(member, (points.get(member) ?? 0) + 1);
      await sides.onChain('setMember', [wallet(member), name, tier, BigInt(points.get(member) ?? 0) * token]);
      made.onChain += 1;
    };
    const changeInSalesforce = (member: number) => {
      tiers.set(member, `gold ${made.inSalesforce}`);
      const id = String(sides.record(wallet(member))?.['Id']);
      sides.salesforce.org.update('Member__c', id, { Tier__c: tiers.get(member) });
      made.inSalesforce += 1;
    };

    for (let change = 0; change < changes; change += 1) {
      const isOnChain = change % 2 === 0;
      const choice = [...(isOnChain ? members.onChain : members.inSalesforce), ...members.onBoth];
      const member = choice[randomInt(choice.length)] ?? 1;
      if (isOnChain) await changeOnChain(member);
      else changeInSalesforce(member);
      await delay(randomInt(150));
      if (change % everyNth === everyNth - 1 && change < everyNth * kills) {
        await hub.kill();
        await hub.start();
        await delay(randomInt(2_000));
      }
    }

    await eventually(() => areAllEqual(sides), { withinMs: 60_000, what: 'Equality of both sides' });
    await eventually(
      async () => {
        const { items } = await hub.get<{ items: { state: string }[] }>('/api/runs?limit=200');
        return items.every(({ state }) => state !== 'queued' && state !== 'running');
      },
      { withinMs: 60_000, what: 'The end of all runs' },
    );

    expect(await areAllEqual(sides)).toBe(true);
    for (const member of members.onChain) {
      expect(sides.record(wallet(member))?.['Points__c']).toBe(points.get(member) ?? 0);
    }
    for (const member of members.inSalesforce) {
      expect((await sides.member(wallet(member))).tier).toBe(tiers.get(member) ?? 'silver');
    }
    // The stand-in remembers a thousand calls: none was forgotten.
    expect(sides.salesforce.org.state().calls.length).toBeLessThan(1_000);
    const written = {
      inSalesforce: sides.rowsWritten - before.writes,
      onChain: (await sides.transactions()) - before.transactions,
    };
    // Several changes of one member may travel as one; none comes back.
    expect(written.inSalesforce).toBeLessThanOrEqual(made.onChain);
    expect(written.onChain).toBeLessThanOrEqual(made.inSalesforce);
    const { length } = all;
    expect((await sync()).counts).toEqual({ rows: length, agreed: length, differing: 0, failed: 0, open: 0 });
  }, 180_000);
});

async function areAllEqual(sides: SyncSides): Promise<boolean> {
  const pairs = await Promise.all(
    all.map(async (index) => ({ row: sides.record(wallet(index)), member: await sides.member(wallet(index)) })),
  );
  return pairs.every(
    ({ row, member }) =>
      row?.['Name'] === member.name &&
      row['Tier__c'] === member.tier &&
      row['PointsWei__c'] === member.points &&
      BigInt(Number(row['Points__c'])) * token === BigInt(member.points),
  );
}
