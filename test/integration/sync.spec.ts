import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { SyncHub, SyncSides, memberBalances, wallet, type SyncPassAnswer } from '../builders/sync-stage.js';

const token = 10n ** 18n;

describe('a two-way sync', () => {
  let sides: SyncSides;
  let hub: SyncHub | undefined;

  beforeEach(async () => {
    sides = await SyncSides.start();
  });
  afterEach(async () => {
    await hub?.close();
    hub = undefined;
    await sides.stop();
  });

  const started = async (): Promise<SyncHub> => (hub = await SyncHub.start(sides, { 'members.yaml': memberBalances }));

  it('given entries and records from before, when the sync is loaded, then both sides hold the same, and progress was shown', async () => {
    for (let index = 1; index <= 5; index += 1) {
      await sides.onChain('setMember', [wallet(index), `Member ${index}`, 'silver', BigInt(index) * token]);
    }
    const { org } = sides.salesforce;
    org.create('Member__c', {
      Name: 'Member 5',
      Wallet__c: wallet(5).toUpperCase().replace('0X', '0x'),
      Tier__c: 'gold',
    });
    org.create('Member__c', { Name: 'Only here', Wallet__c: wallet(6), Tier__c: 'bronze' });

    const stage = await started();
    const pass = await stage.untilBackfilled('member-balances');

    expect(pass).toMatchObject({ kind: 'backfill', done: 6, failed: 0 });
    expect(sides.records()).toHaveLength(6);
    expect(sides.record(wallet(3))).toMatchObject({
      Name: 'Member 3',
      Tier__c: 'silver',
      Points__c: 3,
      PointsWei__c: (3n * token).toString(),
    });
    expect(await sides.member(wallet(5))).toMatchObject({ tier: 'gold', points: (5n * token).toString() });
    expect(await sides.member(wallet(6))).toMatchObject({ name: 'Only here', tier: 'bronze', active: true });
    await stage.untilQuiet();
    expect((await stage.sync('member-balances')).counts).toEqual({
      rows: 6,
      agreed: 6,
      differing: 0,
      failed: 0,
      open: 0,
    });
  });

  it('given both sides edited and a rule that changes one field before the save, then they converge, each real change is written once, and the change of the rule is kept', async () => {
    const { org } = sides.salesforce;
    const stage = await started();
    await stage.untilBackfilled('member-balances');
    org.addRule({ kind: 'setField', object: 'Member__c', field: 'Tier__c', how: 'upper' });

    await sides.onChain('setMember', [wallet(1), 'Ada', 'gold', 7n * token]);
    await eventually(async () => (await sides.member(wallet(1))).tier === 'GOLD', { what: 'The change of the rule' });
    await stage.untilQuiet();

    expect(sides.record(wallet(1))).toMatchObject({ Name: 'Ada', Tier__c: 'GOLD', Points__c: 7 });
    expect(sides.writes).toBe(1);
    expect(await sides.transactions()).toBe(1);

    const id = String(sides.record(wallet(1))?.['Id']);
    org.update('Member__c', id, { Name: 'Ada Lovelace' });
    await sides.onChain('setMember', [wallet(1), 'Ada', 'GOLD', 8n * token + token / 2n]);
    await eventually(
      async () => {
        const { name, points } = await sides.member(wallet(1));
        const row = sides.record(wallet(1));
        return name === row?.['Name'] && row['Points__c'] === 8.5 && points === (17n * (token / 2n)).toString();
      },
      { what: 'Both sides alike' },
    );
    await stage.untilQuiet();

    expect(sides.record(wallet(1))).toMatchObject({ Name: 'Ada Lovelace', Tier__c: 'GOLD', Points__c: 8.5 });
    expect(await sides.member(wallet(1))).toMatchObject({ name: 'Ada Lovelace', tier: 'GOLD' });
    expect(sides.writes).toBeLessThanOrEqual(3);
    expect(await sides.transactions()).toBeLessThanOrEqual(2);
    const { counts } = await stage.sync('member-balances');
    expect(counts).toEqual({ rows: 1, agreed: 1, differing: 0, failed: 0, open: 0 });
  });

  it('given a hub that is stopped while both sides change, when it runs again, then all of it is found', async () => {
    const { org } = sides.salesforce;
    for (let index = 1; index <= 4; index += 1) {
      await sides.onChain('setMember', [wallet(index), `Member ${index}`, 'silver', token]);
    }
    const stage = await started();
    await stage.untilBackfilled('member-balances');
    await stage.untilQuiet();
    await stage.halt();

    await sides.onChain('setMember', [wallet(1), 'Member 1', 'silver', 9n * token]);
    await sides.onChain('removeMember', [wallet(2)]);
    org.update('Member__c', String(sides.record(wallet(3))?.['Id']), { Tier__c: 'platinum' });
    org.delete('Member__c', String(sides.record(wallet(4))?.['Id']));
    org.create('Member__c', { Name: 'New', Wallet__c: wallet(5), Tier__c: 'bronze' });
    org.addFault({ kind: 'expireReplay', share: 1 });
    await stage.boot();

    await eventually(
      async () => {
        const [third, fourth, fifth] = await Promise.all([3, 4, 5].map((index) => sides.member(wallet(index))));
        return (
          sides.record(wallet(1))?.['Points__c'] === 9 &&
          sides.record(wallet(2))?.['Removed__c'] === true &&
          third?.tier === 'platinum' &&
          fourth?.active === false &&
          fifth?.name === 'New'
        );
      },
      { withinMs: 60_000, what: 'Every change' },
    );
    await stage.untilQuiet();
    expect((await stage.sync('member-balances')).counts).toMatchObject({ rows: 5, agreed: 5, failed: 0 });
  });

  it('given a row whose change nobody heard, when checks run, then one counts it and one that may repair brings it in order', async () => {
    await sides.onChain('setMember', [wallet(1), 'Ada', 'gold', 7n * token]);
    const stage = (hub = await SyncHub.start(sides, { 'members.yaml': `${memberBalances}check: { repair: false }\n` }));
    await stage.untilBackfilled('member-balances');
    await stage.untilQuiet();
    await stage.post('/api/flows/member-balances-salesforce/pause');
    const id = String(sides.record(wallet(1))?.['Id']);
    sides.salesforce.org.update('Member__c', id, { Points__c: 12_345 });

    expect(await checked(stage)).toMatchObject({ kind: 'check', done: 1, differing: 1, repaired: 0, failed: 0 });
    expect((await stage.sync('member-balances')).counts).toMatchObject({ agreed: 0, differing: 1 });
    expect(sides.record(wallet(1))).toMatchObject({ Points__c: 12_345 });

    await stage.writeFile('members.yaml', `${memberBalances}check: { repair: true }\n`);
    await stage.reload();
    expect(await checked(stage)).toMatchObject({ kind: 'check', done: 1, differing: 1, repaired: 1, failed: 0 });
    expect(sides.record(wallet(1))).toMatchObject({ Points__c: 7 });
    expect((await stage.sync('member-balances')).counts).toMatchObject({ agreed: 1, differing: 0 });
  });

  it('given a step that dies again and again wherever it is, then both sides still converge, and no transaction is sent twice', async () => {
    const { org } = sides.salesforce;
    let deaths = 0;
    let seed = 7;
    /** One time in four, always the same ones. */
    const dies = (): boolean => {
      seed = (seed * 48_271) % 2_147_483_647;
      const isTime = seed % 4 === 0;
      if (isTime) deaths += 1;
      return isTime;
    };
    const stage = (hub = await SyncHub.start(sides, { 'members.yaml': memberBalances }, dies));
    await stage.untilBackfilled('member-balances');
    for (let index = 1; index <= 6; index += 1) {
      await sides.onChain('setMember', [wallet(index), `Member ${index}`, 'silver', BigInt(index) * token]);
    }
    await eventually(() => sides.records().length === 6, { withinMs: 60_000, what: 'All records' });
    for (let index = 1; index <= 6; index += 1) {
      org.update('Member__c', String(sides.record(wallet(index))?.['Id']), { Tier__c: `gold ${index}` });
    }
    await eventually(
      async () => {
        const members = await Promise.all([1, 2, 3, 4, 5, 6].map((index) => sides.member(wallet(index))));
        return members.every(({ tier }, index) => tier === `gold ${index + 1}`);
      },
      { withinMs: 60_000, what: 'All tiers' },
    );
    await stage.untilQuiet();

    expect(deaths).toBeGreaterThan(5);
    expect(await sides.transactions()).toBe(6);
    for (let index = 1; index <= 6; index += 1) {
      expect(sides.record(wallet(index))).toMatchObject({ Name: `Member ${index}`, Points__c: index });
    }
    expect((await stage.sync('member-balances')).counts).toEqual({
      rows: 6,
      agreed: 6,
      differing: 0,
      failed: 0,
      open: 0,
    });
  }, 180_000);

  it('given an entry that a reorganisation takes back, then its record is marked, not deleted', async () => {
    const stage = await started();
    await stage.untilBackfilled('member-balances');
    const before = await sides.chain.call('evm_snapshot');
    await sides.onChain('setMember', [wallet(1), 'Ada', 'gold', token]);
    await eventually(() => sides.record(wallet(1)) !== undefined, { what: 'The record' });
    await stage.untilQuiet();

    await sides.chain.call('evm_revert', [before]);
    await sides.chain.mine(8);

    await eventually(() => sides.record(wallet(1))?.['Removed__c'] === true, { withinMs: 60_000, what: 'The mark' });
    expect(sides.record(wallet(1))).toMatchObject({ Name: 'Ada', Tier__c: 'gold' });
  });

  it('given records whose key the contract cannot have, then each is listed as failed with its reason until it is corrected', async () => {
    const { org } = sides.salesforce;
    const early = org.create('Member__c', { Name: 'Early', Wallet__c: 'not an address', Tier__c: 'gold' });
    const stage = await started();
    expect(await stage.untilBackfilled('member-balances')).toMatchObject({ failed: 1 });
    const late = org.create('Member__c', { Name: 'Late', Wallet__c: '0x12', Tier__c: 'gold' });
    const failed = async (count: number) =>
      eventually(async () => {
        const { counts, rows } = await stage.sync('member-balances');
        return counts.failed === count && rows.length === count ? rows : undefined;
      });

    const row = (key: string, text: string) => ({
      key,
      state: 'failed',
      error: {
        code: 'salesforce.data',
        message: `Member__c ${key} has "${text}" as its key, and a key of the contract is of type address`,
        fix: expect.stringContaining('Correct Wallet__c'),
      },
    });
    expect(await failed(2)).toMatchObject([row(late, '0x12'), row(early, 'not an address')]);
    await stage.untilQuiet();
    expect(await checked(stage)).toMatchObject({ failed: 2 });

    org.update('Member__c', late, { Wallet__c: wallet(1) });
    await failed(1);
    await eventually(async () => (await sides.member(wallet(1))).active);
    await stage.untilQuiet();
    await stage.post('/api/flows/member-balances-salesforce/pause');
    org.update('Member__c', early, { Wallet__c: null });
    expect(await checked(stage)).toMatchObject({ failed: 0 });
    expect((await stage.sync('member-balances')).counts).toMatchObject({ rows: 1, agreed: 1, failed: 0 });
  });

  it('given names that the org or the contract does not have, when the file is loaded, then each is refused at its place', async () => {
    const wrong = memberBalances
      .replace('salesforce: Tier__c', 'salesforce: Teir__c')
      .replace('chain: name', 'chain: nmae')
      .replace('exact: PointsWei__c', 'exact: Tier__c')
      .replace('from: clerk', 'from: clrek');
    hub = await SyncHub.start(sides, { 'members.yaml': wrong });

    const { broken } = await hub.get<{
      broken: readonly { faults: readonly { line: number; detail: string; fix?: string }[] }[];
    }>('/api/flows');

    expect(broken[0]?.faults.map(({ line, detail, fix = '' }) => `${line}: ${detail} ${fix}`)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^13: There is no signer called clrek\. Did you mean clerk\?/),
        expect.stringMatching(/^15: memberOf gives no nmae/),
        expect.stringMatching(/^16: Member__c has no field Teir__c/),
        expect.stringMatching(/^17: Tier__c holds 40 characters; a uint256 has up to 78/),
      ]),
    );
  });
});

/** One more look at both sides as a whole. */
async function checked(stage: SyncHub): Promise<SyncPassAnswer> {
  const before = (await stage.sync('member-balances')).pass?.startedAt;
  await stage.post('/api/syncs/member-balances/check');
  return eventually(async () => {
    const { pass } = await stage.sync('member-balances');
    return pass !== null && pass.startedAt !== before && pass.state === 'finished' ? pass : undefined;
  });
}
