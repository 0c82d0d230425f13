import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';

const signal = new AbortController().signal;
const ada = { object: 'Contact', matchOn: 'Wallet__c', value: '0xabc', fields: { LastName: 'Byron' } };
const deal = { Name: 'Deal', StageName: 'Prospecting', CloseDate: '2026-12-01' };

describe('the Salesforce client', () => {
  let salesforce: SalesforceOrg;

  beforeEach(async () => {
    salesforce = await startSalesforce({ pageSize: 2 });
  });
  afterEach(() => salesforce.stop());

  const contacts = () => salesforce.org.state().records['Contact'] ?? [];

  it('given an answer lost after the commit, when the upsert is tried again, then there is one record', async () => {
    const client = salesforce.client();
    salesforce.org.addFault({ kind: 'loseAnswer', method: 'PATCH' });

    await expect(client.upsert(ada, signal)).rejects.toMatchObject({ code: 'connection.refused', retry: 'later' });
    const again = await client.upsert(ada, signal);

    expect(again).toMatchObject({ id: expect.stringMatching(/^003/), created: false });
    expect(contacts()).toHaveLength(1);
  });

  it.each(['q?x=1', 'h#1', 'tx/1', '50%', 'a b+c', '31337:0xabc:7', 'ärger'])(
    'given the external id %s, when it is upserted twice, then it is kept as it is, once',
    async (value) => {
      const client = salesforce.client();

      await client.upsert({ ...ada, value }, signal);
      await client.upsert({ ...ada, value }, signal);

      expect(contacts()).toEqual([expect.objectContaining({ Wallet__c: value })]);
    },
  );

  it('given an amount in wei as text, when it is upserted, then no digit is lost', async () => {
    const amount = '115792089237316195423570985008687907853269984665640564039457584007913129639935';

    await salesforce.client().upsert({ ...ada, fields: { LastName: 'Byron', Wei__c: amount } }, signal);

    expect(contacts()).toEqual([expect.objectContaining({ Wei__c: amount })]);
  });

  it('given many calls at once, when the session has expired, then there is one new login and every call succeeds', async () => {
    const client = salesforce.client();
    await client.test(signal);
    salesforce.org.addFault({ kind: 'expireSessions' });

    const values = Array.from({ length: 20 }, (_, index) => `0x${index}`);
    await Promise.all(values.map((value) => client.upsert({ ...ada, value }, new AbortController().signal)));

    expect(contacts()).toHaveLength(20);
    expect(salesforce.org.state().tokensIssued).toBe(2);
  });

  it('given an org that refuses every session, when a call is made, then it gives up after three logins', async () => {
    const client = salesforce.client();
    salesforce.org.addFault({ kind: 'status', status: 401, errorCode: 'INVALID_SESSION_ID', times: 100 });

    await expect(client.test(signal)).rejects.toMatchObject({ code: 'connection.unauthorised', retry: 'never' });

    expect(salesforce.org.state().tokensIssued).toBe(3);
  });

  it('given a login that was refused, when the org is put right, then a test of the connection finds out at once, other calls later', async () => {
    const client = salesforce.client();
    salesforce.org.addFault({ kind: 'refuseLogin', error: 'invalid_grant', description: 'inactive user', times: 1 });
    await expect(client.test(signal)).rejects.toMatchObject({ code: 'connection.unauthorised' });

    await expect(client.upsert(ada, signal)).rejects.toMatchObject({ code: 'connection.unauthorised' });
    await expect(client.test(signal)).resolves.toBeUndefined();

    expect(salesforce.org.state().tokensIssued).toBe(1);
    await expect(client.upsert(ada, signal)).resolves.toMatchObject({ created: true });
  });

  it('given an org that has moved, when a call is made, then it is sent to the new address', async () => {
    const client = salesforce.client();
    await client.test(signal);
    const moved = await salesforce.listen();
    salesforce.org.addFault({ kind: 'moveInstance', url: moved });

    await expect(client.upsert(ada, signal)).resolves.toMatchObject({ created: true });

    const host = new URL(moved).host;
    expect(salesforce.org.state().calls.at(-1)).toMatchObject({ method: 'PATCH', headers: { host } });
  });

  it.each([
    [{ kind: 'lockRow' }, 'salesforce.locked', 'later'],
    [{ kind: 'status', status: 503, html: '<h1>Down for maintenance</h1>' }, 'salesforce.unavailable', 'later'],
    [{ kind: 'status', status: 500, errorCode: 'UNKNOWN_EXCEPTION' }, 'salesforce.unavailable', 'later'],
    [{ kind: 'status', status: 400, errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION' }, 'salesforce.data', 'never'],
    [{ kind: 'status', status: 403, errorCode: 'API_DISABLED_FOR_ORG' }, 'salesforce.configuration', 'never'],
    [{ kind: 'status', status: 418, errorCode: 'SOMETHING_NEW' }, 'salesforce.data', 'never'],
    [{ kind: 'status', status: 302 }, 'salesforce.unavailable', 'later'],
  ] as const)(
    'given %j, when a record is upserted, then the error is %s and repeats %s; the next call works',
    async (fault, code, retry) => {
      const client = salesforce.client();
      salesforce.org.addFault(fault);

      await expect(client.upsert(ada, signal)).rejects.toMatchObject({ code, retry });
      await expect(client.upsert(ada, signal)).resolves.toMatchObject({ created: true });
    },
  );

  it.each([
    ['TotalRequests', 900_000],
    ['ConcurrentRequests', 5_000],
  ] as const)(
    'given an exhausted quota of %s, when calls are made, then all wait for %i ms without asking Salesforce, and then go on',
    async (scope, waitMs) => {
      let now = Date.now();
      const client = salesforce.client({ now: () => now });
      salesforce.org.addFault({ kind: 'quota', scope });
      await expect(client.test(signal)).rejects.toMatchObject({ code: 'salesforce.limit', retryAfterMs: waitMs });
      const asked = salesforce.org.state().calls.length;

      const upsert = client.upsert(ada, signal);
      await expect(upsert).rejects.toMatchObject({ code: 'salesforce.limit', retry: 'after', retryAfterMs: waitMs });
      expect(client.budget.pausedUntil).toBe(new Date(now + waitMs).toISOString());
      expect(salesforce.org.state().calls).toHaveLength(asked);

      now += waitMs;
      await expect(client.upsert(ada, signal)).resolves.toMatchObject({ created: true });
      expect(client.budget.pausedUntil).toBeUndefined();
    },
  );

  it('given a missing field, when a record is made, then the error names field and reason', async () => {
    const made = salesforce.client().upsert({ ...ada, fields: {} }, signal);

    await expect(made).rejects.toMatchObject({
      code: 'salesforce.data',
      detail:
        'Upserting the Contact with Wallet__c 0xabc: REQUIRED_FIELD_MISSING: Required fields are missing: [LastName] (LastName)',
      fix: expect.stringContaining('required'),
    });
  });

  it('given a slow org, when the caller gives up or the time is over, then the call ends', async () => {
    const patient = salesforce.client();
    const hasty = salesforce.client({ requestTimeoutMs: 2_000 });
    await patient.test(signal);
    // A machine that pauses may be too slow for it as well.
    await eventually(() =>
      hasty.test(signal).then(
        () => true,
        () => false,
      ),
    );
    salesforce.org.addFault({ kind: 'delay', ms: 60_000, times: 2 });
    const caller = new AbortController();

    const givenUp = patient.test(caller.signal);
    const tooSlow = hasty.test(signal);
    caller.abort();

    await expect(givenUp).rejects.toMatchObject({ code: 'step.cancelled' });
    await expect(tooSlow).rejects.toMatchObject({ code: 'connection.timeout' });
  });

  it.each([
    [10, 5, false],
    [5, 5, false],
    [4, 4, true],
    [3, 3, true],
    [2, 2, true],
  ])(
    'given five records in pages of two, when at most %i are wanted, then %i come, and what is left out is told: %s',
    async (limit, count, isCut) => {
      for (const Name of ['A', 'B', 'C', 'D', 'E']) salesforce.org.create('Opportunity', { ...deal, Name });

      const found = await salesforce.client().query('SELECT Name FROM Opportunity ORDER BY Name', limit, signal);

      expect(found).toEqual({
        records: ['A', 'B', 'C', 'D', 'E'].slice(0, count).map((Name) => ({ Name })),
        totalSize: 5,
        isCut,
      });
    },
  );

  it('given a client name, when a call is made, then Salesforce is told who calls, over one connection', async () => {
    const client = salesforce.client();
    await client.upsert(ada, signal);
    await client.update('Contact', String(contacts()[0]?.['Id']), { FirstName: 'Ada' }, signal);

    const calls = salesforce.org.state().calls.filter(({ url }) => url.startsWith('/services/data/v62.0/'));
    expect(calls.map(({ headers }) => headers['sforce-call-options'])).toEqual(['client=Patchbay', 'client=Patchbay']);
    expect(contacts()).toEqual([expect.objectContaining({ Name: 'Ada Byron' })]);
  });
});
