import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Connection, OAuth2 } from 'jsforce';
import { eventually } from '../../test/builders/eventually.js';
import { createSalesforceStandIn, sandboxApp, sandboxUser, type SalesforceStandInOptions } from './index.js';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const { close } of opened.splice(0).reverse()) await close();
});

async function anOrg(options: SalesforceStandInOptions = {}) {
  const standIn = createSalesforceStandIn({ longPollMs: 300, ...options });
  const server = await standIn.listen();
  opened.push({ close: () => standIn.close() });
  return { standIn, url: server.url };
}

async function aConnection(url: string, version = '62.0') {
  const connection = new Connection({ loginUrl: url, version, oauth2: new OAuth2({ loginUrl: url, ...appLogin }) });
  await connection.authorize({ grant_type: 'client_credentials' });
  return connection;
}

const appLogin = { clientId: sandboxApp.clientId, clientSecret: sandboxApp.clientSecret ?? '' };
const deal = { Name: 'Deal', StageName: 'Prospecting', CloseDate: '2026-12-01' };
const rejection = (errorCode: string) => expect.objectContaining({ errorCode });

/** The types of jsforce leave out the method that ends a client's polling; a client that is not done polls on for ever. */
async function hangUp(client: unknown): Promise<void> {
  await (client as { disconnect(): PromiseLike<void> }).disconnect();
}

describe('the rows of the stand-in, seen by jsforce', () => {
  it('given a login, when a row is created, read, changed and deleted, then each answer has the shape of the real one', async () => {
    const { url } = await anOrg();
    const connection = await aConnection(url);

    const created = await connection.sobject('Contact').create({ LastName: 'Byron', Email: 'ada@example.com' });
    expect(created).toEqual({ id: expect.stringMatching(/^003[\w]{15}$/), success: true, errors: [] });
    const id = created.id ?? '';
    await connection.sobject('Contact').update({ Id: id, FirstName: 'Ada' });
    const row = await connection.sobject('Contact').retrieve(id);
    expect(row).toMatchObject({ Name: 'Ada Byron', Email: 'ada@example.com', IsDeleted: false });
    expect(row['SystemModstamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$/);
    await connection.sobject('Contact').destroy(id);
    await expect(connection.sobject('Contact').retrieve(id)).rejects.toEqual(rejection('ENTITY_IS_DELETED'));
    expect(connection.limitInfo.apiUsage).toMatchObject({ limit: 15_000 });
  });

  it.each([
    ['a missing required field', { FirstName: 'Ada' }, 'REQUIRED_FIELD_MISSING'],
    ['an unknown field', { LastName: 'Byron', Shoe: 1 }, 'INVALID_FIELD'],
    ['an address that is none', { LastName: 'Byron', Email: 'ada' }, 'INVALID_EMAIL_ADDRESS'],
    [
      'a number of more than 18 digits',
      { LastName: 'Byron', Balance__c: '1234567890123456789' },
      'NUMBER_OUTSIDE_VALID_RANGE',
    ],
    ['a text that is too long', { LastName: 'B'.repeat(81) }, 'STRING_TOO_LONG'],
    [
      'a field that Salesforce sets itself',
      { LastName: 'Byron', CreatedDate: '2026-01-01' },
      'INVALID_FIELD_FOR_INSERT_UPDATE',
    ],
  ])('given %s, when a contact is created, then it is refused with the real code', async (_, fields, code) => {
    const { url } = await anOrg({ customFields: { Contact: { Balance__c: 'double' } } });
    const connection = await aConnection(url);

    await expect(connection.sobject('Contact').create(fields)).rejects.toEqual(rejection(code));
  });

  it('given an external id, when rows are upserted in two letter cases, then there is one row', async () => {
    const { standIn, url } = await anOrg();
    const connection = await aConnection(url);

    const first = await connection.sobject('Contact').upsert({ Wallet__c: '0xAbC', LastName: 'A' }, 'Wallet__c');
    const second = await connection.sobject('Contact').upsert({ Wallet__c: '0xabc', LastName: 'B' }, 'Wallet__c');

    expect(first).toMatchObject({ created: true });
    expect(second).toMatchObject({ created: false, id: first.id });
    expect(standIn.state().records['Contact']).toHaveLength(1);
  });

  it('given an external id with a question mark, when jsforce does not encode it, then what is stored ends before it', async () => {
    const { standIn, url } = await anOrg();
    const connection = await aConnection(url);

    await connection.sobject('Contact').upsert({ Wallet__c: 'q?x=1', LastName: 'A' }, 'Wallet__c');
    await expect(
      connection.sobject('Contact').upsert({ Wallet__c: '50%', LastName: 'A' }, 'Wallet__c'),
    ).rejects.toThrow();

    expect(standIn.state().records['Contact']).toEqual([expect.objectContaining({ Wallet__c: 'q' })]);
  });

  it('given a collection with one bad row, when it is all or none, then nothing is kept', async () => {
    const { standIn, url } = await anOrg();
    const connection = await aConnection(url);
    const rows = [{ LastName: 'A' }, { FirstName: 'no last name' }];

    const refused = await connection.sobject('Contact').create(rows, { allOrNone: true });
    expect(refused).toEqual([
      { success: false, errors: [expect.objectContaining({ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK' })] },
      { success: false, errors: [expect.objectContaining({ statusCode: 'REQUIRED_FIELD_MISSING' })] },
    ]);
    expect(standIn.state().records['Contact']).toEqual([]);

    const partly = await connection.sobject('Contact').create(rows);
    expect(partly.map(({ success }) => success)).toEqual([true, false]);
  });

  it('given rows over several pages, when they are queried, then jsforce fetches all of them', async () => {
    const { standIn, url } = await anOrg({ pageSize: 2 });
    for (const amount of [1, 2, 3, 4, 5])
      standIn.create('Opportunity', { ...deal, Name: `Deal ${amount}`, Amount: amount });
    const connection = await aConnection(url);
    const soql =
      "SELECT Name FROM Opportunity WHERE (Amount > 1 AND Name LIKE 'deal%') OR Amount = 1 ORDER BY Amount DESC";

    const page = await connection.query(soql);
    expect(page).toMatchObject({ totalSize: 5, done: false, nextRecordsUrl: expect.stringContaining('/query/01g') });
    const rows = await connection.query(soql, { autoFetch: true, maxFetch: 100 });
    expect(rows.records.map(({ Name }) => Name)).toEqual(['Deal 5', 'Deal 4', 'Deal 3', 'Deal 2', 'Deal 1']);
  });

  it.each([
    ["StageName IN ('Closed Won', 'Lost')", ['B']],
    ["StageName NOT IN ('Closed Won')", ['A', 'C']],
    ['Amount = null', ['C']],
    ["Amount != null AND NOT Name = 'A'", ['B']],
    ['CloseDate >= 2026-12-01 AND CloseDate < 2027-01-01', ['A', 'B']],
    ["Name = 'it\\'s'", []],
    ['SystemModstamp > 2020-01-01T00:00:00Z', ['A', 'B', 'C']],
  ])('given three opportunities, when the condition is %s, then the right ones are found', async (condition, names) => {
    const { standIn, url } = await anOrg();
    standIn.create('Opportunity', { ...deal, Name: 'A', Amount: 10 });
    standIn.create('Opportunity', { ...deal, Name: 'B', Amount: 20, StageName: 'Closed Won' });
    standIn.create('Opportunity', { ...deal, Name: 'C', CloseDate: '2027-01-01' });
    const connection = await aConnection(url);

    const { records } = await connection.query(`SELECT Id, Name FROM Opportunity WHERE ${condition} ORDER BY Name`);

    expect(records.map(({ Name }) => Name)).toEqual(names);
  });

  it.each([
    ['SELECT Shoe FROM Contact', 'INVALID_FIELD'],
    ['SELECT Id FROM Shoe', 'INVALID_TYPE'],
    ['SELECT Id FROM', 'MALFORMED_QUERY'],
    ["SELECT Id FROM Contact WHERE Name ~ 'x'", 'MALFORMED_QUERY'],
  ])('given the query %s, when it is asked, then it is refused', async (soql, code) => {
    const { url } = await anOrg();
    const connection = await aConnection(url);

    await expect(connection.query(soql)).rejects.toEqual(rejection(code));
  });
});

describe('the logins of the stand-in', () => {
  it.each([
    [{ client_id: 'nobody' }, 'invalid_client_id'],
    [{ client_secret: 'wrong' }, 'invalid_client'],
    [{ grant_type: 'password' }, 'unsupported_grant_type'],
  ])('given %j, when a token is asked for, then it is refused', async (change, error) => {
    const { url } = await anOrg();
    const parameters = {
      grant_type: 'client_credentials',
      client_id: appLogin.clientId,
      client_secret: appLogin.clientSecret,
    };

    const answer = await fetch(`${url}/services/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...parameters, ...change }),
    });

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error });
  });

  it.each([
    [{}, undefined],
    [{ aud: 'https://elsewhere.example' }, 'audience is invalid'],
    [{ exp: 1 }, 'assertion expired or not yet valid'],
    [{ sub: 'somebody@else.example' }, "user hasn't approved this consumer"],
  ])('given an assertion with %j, when a token is asked for, then the answer is %j', async (change, description) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const certificate = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const { url } = await anOrg({ apps: [{ clientId: 'app', runAs: sandboxUser, certificate }] });
    const claims = { iss: 'app', sub: sandboxUser, aud: url, exp: Math.floor(Date.now() / 1000) + 180, ...change };
    const text = [{ alg: 'RS256' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url');
    const connection = new Connection({ loginUrl: url, version: '62.0' });

    const authorized = connection.authorize({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${text}.${signature}`,
    });

    if (description === undefined)
      await expect(authorized).resolves.toMatchObject({ organizationId: expect.any(String) });
    else await expect(authorized).rejects.toThrow(description);
  });

  it('given expired sessions, when jsforce calls, then it logs in again by itself', async () => {
    const { standIn, url } = await anOrg();
    const connection = new Connection({
      loginUrl: url,
      instanceUrl: url,
      accessToken: 'dead',
      version: '62.0',
      refreshFn: (_, done) => {
        aConnection(url).then(({ accessToken }) => done(null, accessToken ?? ''), done);
      },
    });

    await expect(connection.query('SELECT Id FROM Contact')).resolves.toMatchObject({ totalSize: 0 });
    expect(standIn.state().tokensIssued).toBe(1);
  });
});

describe('the streams of the stand-in, heard by jsforce', () => {
  it('given a subscription, when an opportunity is won, then its event arrives once, and a change outside the filter does not', async () => {
    const { standIn, url } = await anOrg();
    const connection = await aConnection(url);
    const heard: unknown[] = [];
    const client = connection.streaming.createClient([]);
    await client.subscribe('/topic/WonOpportunities', (message: unknown) => heard.push(message));

    const id = standIn.create('Opportunity', deal);
    standIn.update('Opportunity', id, { StageName: 'Closed Won', Amount: 12 });
    standIn.update('Opportunity', id, { Description: 'not referenced' });
    standIn.update('Opportunity', id, { Amount: 13 });

    await eventually(() => heard.length >= 2);
    expect(heard).toEqual([
      {
        event: { createdDate: expect.any(String), replayId: expect.any(Number), type: 'updated' },
        sobject: { Id: id, Name: 'Deal', StageName: 'Closed Won', Amount: 12, Wallet__c: null },
      },
      expect.objectContaining({ sobject: expect.objectContaining({ Amount: 13 }) }),
    ]);
    await hangUp(client);
  });

  it('given a topic made over REST, when jsforce listens by its name, then it hears the change', async () => {
    const { url } = await anOrg();
    const connection = await aConnection(url);
    await connection.sobject('PushTopic').create({
      Name: 'Invoices',
      Query: 'SELECT Id, Total__c FROM Invoice__c',
      ApiVersion: 62,
      NotifyForFields: 'All',
    });
    const heard: unknown[] = [];
    const subscription = connection.streaming.topic('Invoices').subscribe((message) => heard.push(message.sobject));
    // The types of jsforce do not show that a subscription is a promise.
    await (subscription as unknown as Promise<void>);

    await connection.sobject('Invoice__c').create({ Total__c: '12' });

    await eventually(() => heard.length === 1);
    await hangUp(connection.streaming._fayeClients['pushTopic']);
  });

  it.each([
    ['SELECT Id FROM Opportunity ORDER BY Name', "'ORDER BY' clause is not allowed"],
    ['SELECT Id, Account.Name FROM Opportunity', 'relationships are not supported'],
    ['SELECT Name FROM Opportunity', 'Id must be included'],
  ])('given the query %s, when a push topic is made of it, then it is refused', async (Query, message) => {
    const { url } = await anOrg();
    const connection = await aConnection(url);

    await expect(connection.sobject('PushTopic').create({ Name: 'T', Query, ApiVersion: 62 })).rejects.toThrow(message);
  });
});

describe('the memory and the faults of the stand-in', () => {
  it('given a snapshot file, when the org is started again, then rows, external ids and events are still there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'org-'));
    opened.push({ close: () => Promise.resolve(rmSync(folder, { recursive: true })) });
    const snapshotFile = join(folder, 'org.json');
    const before = await anOrg({ snapshotFile, externalIds: ['Contact.Wallet__c'] });
    before.standIn.create('Contact', { LastName: 'A', Wallet__c: '0x1' });
    before.standIn.create('Invoice__c', { Total__c: '12' });
    await before.standIn.close();

    const after = await anOrg({ snapshotFile });
    const connection = await aConnection(after.url);

    expect(after.standIn.state().orgId).toBe(before.standIn.state().orgId);
    expect(after.standIn.state().records['Invoice__c']).toHaveLength(1);
    const duplicate = connection.sobject('Contact').create({ LastName: 'B', Wallet__c: '0X1' });
    await expect(duplicate).rejects.toEqual(rejection('DUPLICATE_VALUE'));
  });

  it('given a fault sent to the control route, when the next calls are made, then it meets as many as it says', async () => {
    const { url } = await anOrg({ basePath: '/salesforce' });
    const connection = await aConnection(url);
    const fault = { kind: 'status', status: 503, method: 'POST', times: 2 };
    await fetch(`${url}/_faults`, { method: 'POST', body: JSON.stringify(fault) });

    const create = () => connection.sobject('Account').create({ Name: 'A' });
    await expect(create()).rejects.toEqual(rejection('SERVER_UNAVAILABLE'));
    await expect(create()).rejects.toEqual(rejection('SERVER_UNAVAILABLE'));
    await expect(create()).resolves.toMatchObject({ success: true });

    const state = (await (await fetch(`${url}/_state`)).json()) as { calls: { method: string; status: number }[] };
    expect(state.calls.filter(({ method }) => method === 'POST').map(({ status }) => status)).toEqual([
      200, 503, 503, 201,
    ]);
    const refused = await fetch(`${url}/_faults`, { method: 'POST', body: '{"kind":"nonsense"}' });
    expect(refused.status).toBe(400);
  });
});
