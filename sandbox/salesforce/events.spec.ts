import { afterEach, describe, expect, it } from '@jest/globals';
import { startJsforceOrg, type JsforceOrg } from '../../test/builders/jsforce-org.js';
import { eventually } from '../../test/builders/eventually.js';

let org: JsforceOrg;

afterEach(() => org.stop());

const header = (index = -1, channel = '/data/ChangeEvents') =>
  (org.standIn.events(channel).at(index)?.data as { payload: { ChangeEventHeader: Record<string, unknown> } }).payload
    .ChangeEventHeader;
const payload = (index = -1, channel = '/data/ChangeEvents') =>
  (org.standIn.events(channel).at(index)?.data as { payload: Record<string, unknown> }).payload;

describe('change data capture', () => {
  it('given a write of our own, when it is heard, then its origin names the client and its user the writer', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect({ client: 'Patchbay-crm' });
    const { messages } = await org.hear(connection, '/data/ContactChangeEvent');

    const { id } = await connection.sobject('Contact').create({ FirstName: 'Ada', LastName: 'Byron' });

    await eventually(() => messages.length === 1);
    const { userInfo } = connection;
    expect(messages[0]).toEqual({
      schema: expect.any(String),
      event: { replayId: expect.any(Number) },
      payload: expect.objectContaining({
        Name: { FirstName: 'Ada', LastName: 'Byron' },
        CreatedDate: expect.stringMatching(/T\d\d:\d\d:\d\d\.000Z$/),
        ChangeEventHeader: {
          entityName: 'Contact',
          recordIds: [id],
          changeType: 'CREATE',
          changeOrigin: 'com/salesforce/api/rest/62.0;client=Patchbay-crm',
          transactionKey: expect.any(String),
          sequenceNumber: 1,
          commitTimestamp: expect.any(Number),
          commitNumber: expect.any(Number),
          commitUser: userInfo?.id,
          changedFields: [],
        },
      }),
    });
    expect(messages[0]?.['payload']).not.toHaveProperty('SystemModstamp');
    expect(messages[0]?.['payload']).not.toHaveProperty('Title');
  });

  it('given an update, when it is heard, then only what changed is in it, null included, and parts of compound fields', async () => {
    org = await startJsforceOrg();
    const id = org.standIn.create('Account', { Name: 'Acme', BillingCity: 'Bern', Phone: '1' });
    org.standIn.update('Account', id, { BillingCity: 'Basel', Phone: null, Name: 'Acme' });

    expect(payload()).toEqual({
      ChangeEventHeader: expect.objectContaining({
        changeType: 'UPDATE',
        changedFields: ['BillingAddress.City', 'Phone', 'LastModifiedDate'],
      }),
      BillingAddress: { City: 'Basel' },
      Phone: null,
      LastModifiedDate: expect.any(String),
    });
  });

  it('given long text, when a part of it changes, then a difference is sent instead of the text', async () => {
    org = await startJsforceOrg();
    const id = org.standIn.create('Account', { Name: 'A', Description: 'a'.repeat(1_200) });
    org.standIn.update('Account', id, { Description: `${'a'.repeat(1_200)}b` });

    expect(payload()['Description']).toEqual({ diff: expect.stringMatching(/^--- \n\+\+\+ [0-9a-f]{64}\n@@ /) });
  });

  it('given the same change of several rows in one transaction, when it is heard, then one message names them all', async () => {
    org = await startJsforceOrg();
    const ids = ['A', 'B', 'C'].map((LastName) => org.standIn.create('Contact', { LastName }));
    org.standIn.transaction(() => {
      for (const id of ids.slice(0, 2)) org.standIn.update('Contact', id, { Title: 'CFO' });
      org.standIn.update('Contact', ids[2] ?? '', { Title: 'CEO' });
    });

    expect(header(-2)).toMatchObject({ recordIds: ids.slice(0, 2), sequenceNumber: 1 });
    expect(header(-1)).toMatchObject({ recordIds: ids.slice(2), sequenceNumber: 2 });
    expect(header(-1)['transactionKey']).toBe(header(-2)['transactionKey']);
  });

  it('given a delete and an undelete, when they are heard, then the first has a header only and the second the whole row', async () => {
    org = await startJsforceOrg();
    const id = org.standIn.create('Contact', { LastName: 'A' });
    org.standIn.delete('Contact', id);
    org.standIn.undelete('Contact', id);

    expect(Object.keys(payload(-2))).toEqual(['ChangeEventHeader']);
    expect(header(-2)).toMatchObject({ changeType: 'DELETE', recordIds: [id] });
    expect(payload(-1)).toMatchObject({ Name: { LastName: 'A' } });
    expect(header(-1)).toMatchObject({ changeType: 'UNDELETE' });
  });

  it('given a field that a rule of the org changes, when we write, then the event of our write carries the value of the rule', async () => {
    org = await startJsforceOrg({ rules: [{ kind: 'setField', object: 'Contact', field: 'Title', how: 'upper' }] });
    const connection = await org.connect({ client: 'Patchbay' });

    await connection.sobject('Contact').create({ LastName: 'A', Title: 'cfo' });

    expect(payload()).toMatchObject({ Title: 'CFO' });
    expect(header()['changeOrigin']).toContain('client=Patchbay');
  });

  it('given gaps and an overflow on command, when rows change, then only headers come', async () => {
    org = await startJsforceOrg();
    org.standIn.addFault({ kind: 'gap', object: 'Contact' });
    const id = org.standIn.create('Contact', { LastName: 'A' });
    expect(payload()).toEqual({
      ChangeEventHeader: expect.objectContaining({ changeType: 'GAP_CREATE', recordIds: [id] }),
    });

    org.standIn.addFault({ kind: 'overflow' });
    org.standIn.transaction(() => {
      for (const LastName of ['B', 'C']) org.standIn.create('Contact', { LastName });
      org.standIn.create('Account', { Name: 'A' });
    });
    expect([header(-2), header(-1)]).toEqual(
      ['Contact', 'Account'].map((entityName) =>
        expect.objectContaining({ entityName, changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] }),
      ),
    );
  });

  it('given custom objects and channels, when they are subscribed to, then their names are those of Salesforce', async () => {
    org = await startJsforceOrg({ capturedObjects: ['Invoice__c'], channels: { Ledger__chn: ['Invoice__c'] } });
    const connection = await org.connect();
    const heard = [
      await org.hear(connection, '/data/Invoice__ChangeEvent'),
      await org.hear(connection, '/data/Ledger__chn'),
    ];

    org.standIn.create('Invoice__c', { Total__c: '1' });

    await eventually(() => heard.every(({ messages }) => messages.length === 1));
    await expect(org.hear(connection, '/data/ContactChangeEvent')).rejects.toThrow('does not exist');
  });

  it('given half of the bus purged, when a purged id is asked for, then it is refused, and a kept one replays the rest', async () => {
    org = await startJsforceOrg();
    for (const LastName of ['A', 'B', 'C', 'D']) org.standIn.create('Contact', { LastName });
    const ids = org.standIn.events('/data/ContactChangeEvent').map(({ replayId }) => replayId);
    org.standIn.addFault({ kind: 'expireReplay', share: 0.5 });
    const connection = await org.connect();

    await expect(org.hear(connection, '/data/ContactChangeEvent', ids[0])).rejects.toThrow(
      `400::The replayId {${ids[0]}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`,
    );
    const { messages } = await org.hear(connection, '/data/ContactChangeEvent', ids[2]);
    await eventually(() => messages.length === 1);
    expect(messages[0]?.['event']?.['replayId']).toBe(ids[3]);
  });

  it('given three days, when they have passed, then change events are gone; those of push topics after one', async () => {
    org = await startJsforceOrg();
    const id = org.standIn.create('Opportunity', { Name: 'D', StageName: 'New', CloseDate: '2026-12-01' });
    org.standIn.update('Opportunity', id, { StageName: 'Closed Won' });
    const kept = () => ['/topic/WonOpportunities', '/data/ChangeEvents'].map((name) => org.standIn.events(name).length);

    org.standIn.setClock({ advanceMs: 25 * 3_600_000 });
    org.standIn.create('Contact', { LastName: 'A' });
    expect(kept()).toEqual([0, 3]);
    org.standIn.setClock({ advanceMs: 48 * 3_600_000 });
    org.standIn.create('Contact', { LastName: 'A' });
    expect(kept()).toEqual([0, 2]);
  });
});

describe('platform events', () => {
  it('given a published event, when it is answered, then it is a success that carries an error, and subscribers hear it', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    const { messages } = await org.hear(connection, '/event/Settled__e');

    const answer = await connection.sobject('Settled__e').create({ Hash__c: '0x1' });

    expect(answer).toMatchObject({ success: true, errors: [{ statusCode: 'OPERATION_ENQUEUED' }] });
    await eventually(() => messages.length === 1);
    expect(messages[0]).toMatchObject({
      payload: { Hash__c: '0x1', CreatedById: connection.userInfo?.id },
      event: { EventUuid: expect.any(String), replayId: expect.any(Number) },
    });
    await expect(connection.query('SELECT Id FROM Settled__e')).rejects.toMatchObject({ errorCode: 'INVALID_TYPE' });
  });

  it('given several events in one call, when they are published, then each has an answer', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();

    const answers = await connection.sobject('Settled__e').create([{ Hash__c: '0x1' }, { Hash__c: '0x2' }]);

    expect(answers.map(({ success }) => success)).toEqual([true, true]);
    expect(org.standIn.events('/event/Settled__e')).toHaveLength(2);
  });
});

describe('push topics', () => {
  it.each([
    ['SELECT COUNT(Id) FROM Contact', 'Aggregate queries are not supported'],
    ['SELECT Id, Name FROM Contact WHERE AccountId IN (SELECT Id FROM Account)', 'semi/anti join sub-selects'],
    ['SELECT Id, Account.Name FROM Contact', 'relationships are not supported'],
    ['SELECT Id, Name FROM Contact LIMIT 5', "'LIMIT' is not allowed"],
    ['SELECT Id, Name FROM Contact OFFSET 5', "'OFFSET' clause is not allowed"],
    ["SELECT Id, Name FROM Contact WHERE NOT Name = 'A'", "'NOT' is not supported"],
    ["SELECT Id, Name FROM Contact WHERE Description = 'A'", 'can not be filtered'],
    ['SELECT Id, Name FROM Product2', 'not supported for the Streaming API'],
    ['SELECT Id FROM Contact', 'Referenced requires a field'],
  ])('given the query %s, when a topic is made of it, then it is refused', async (Query, message) => {
    org = await startJsforceOrg();
    const connection = await org.connect();

    await expect(connection.sobject('PushTopic').create({ Name: 'T', Query, ApiVersion: 62 })).rejects.toMatchObject({
      errorCode: 'INVALID_FIELD',
      message: expect.stringContaining(message),
    });
    expect(org.standIn.state().records['PushTopic']).toHaveLength(1);
  });

  it('given a name that is too long or taken, when a topic is made, then it is refused; words in quotes are no clauses', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    const topic = { Query: "SELECT Id, Name FROM Contact WHERE Title NOT IN ('NOT ORDER BY LIMIT')", ApiVersion: 62 };
    const make = (Name: string) => connection.sobject('PushTopic').create({ ...topic, Name });

    await expect(make('T'.repeat(26))).rejects.toMatchObject({ errorCode: 'STRING_TOO_LONG' });
    await expect(make('Contacts')).resolves.toMatchObject({ success: true });
    await expect(make('contacts')).rejects.toMatchObject({ errorCode: 'DUPLICATE_VALUE' });
  });

  it.each([
    ['All', 3],
    ['Referenced', 2],
    ['Select', 1],
    ['Where', 1],
  ])(
    'given NotifyForFields %s, when a selected, a filtered and another field change, then %d are told',
    async (scope, count) => {
      org = await startJsforceOrg({ seed: [] });
      org.standIn.create('PushTopic', {
        Name: 'T',
        Query: "SELECT Id, Title FROM Contact WHERE Department != 'X'",
        ApiVersion: 62,
        NotifyForFields: scope,
        NotifyForOperationCreate: false,
      });
      const id = org.standIn.create('Contact', { LastName: 'A', Department: 'D' });
      org.standIn.update('Contact', id, { Title: 'CFO' });
      org.standIn.update('Contact', id, { Department: 'E' });
      org.standIn.update('Contact', id, { Phone: '1' });
      org.standIn.update('Contact', id, { Department: 'X' });

      expect(org.standIn.events('/topic/T')).toHaveLength(count);
    },
  );

  it('given a delete and an undelete, when they are heard, then the first carries the id alone', async () => {
    org = await startJsforceOrg();
    const id = org.standIn.create('Opportunity', { Name: 'D', StageName: 'Closed Won', CloseDate: '2026-12-01' });
    org.standIn.delete('Opportunity', id);
    org.standIn.undelete('Opportunity', id);

    const events = org.standIn.events('/topic/WonOpportunities').map(({ data }) => data);
    expect(events.slice(1)).toMatchObject([
      { event: { type: 'deleted' }, sobject: { Id: id } },
      { event: { type: 'undeleted' }, sobject: { Id: id, Name: 'D' } },
    ]);
  });
});

describe('what goes wrong on the way to subscribers', () => {
  it('given a late answer, when we write, then the echo is heard before it', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    const { messages } = await org.hear(connection, '/data/ContactChangeEvent');
    org.standIn.addFault({ kind: 'delayAnswer', ms: 3_000, method: 'POST' });
    let isAnswered = false;

    const write = connection.sobject('Contact').create({ LastName: 'A' });
    void write.then(() => (isAnswered = true));

    await eventually(() => messages.length === 1);
    expect(isAnswered).toBe(false);
    await write;
  });

  it('given the deliveries of the day used up, when somebody subscribes, then it is refused until there are some again', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    org.standIn.addFault({ kind: 'stopDeliveries' });
    const limit = '403::Organization total events daily limit exceeded';

    await expect(org.hear(connection, '/data/ChangeEvents')).rejects.toThrow(limit);
    org.standIn.create('Contact', { LastName: 'A' });
    org.standIn.addFault({ kind: 'stopDeliveries', stopped: false });
    const { messages } = await org.hear(connection, '/data/ChangeEvents', -2);
    await eventually(() => messages.length === 1);
  });

  it('given a permission that lacks, when a channel is subscribed to, then the refusal is told', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    const error = '403::User not allowed to subscribe CDC without View All Data permissions';
    org.standIn.addFault({ kind: 'refuseStream', meta: 'subscribe', channel: '/data/ChangeEvents', error });

    await expect(org.hear(connection, '/data/ChangeEvents')).rejects.toThrow(error);
  });

  it('given a busy server, when a client shakes hands, then the reason stands in ext.sfdc', async () => {
    org = await startJsforceOrg();
    const connection = await org.connect();
    org.standIn.addFault({ kind: 'refuseStream', meta: 'handshake', error: '503::Server is too busy' });

    const answer = await fetch(`${org.url}/cometd/62.0`, {
      method: 'POST',
      headers: { authorization: `Bearer ${connection.accessToken}` },
      body: JSON.stringify([{ channel: '/meta/handshake', version: '1.0' }]),
    });

    expect(await answer.json()).toEqual([
      expect.objectContaining({
        successful: false,
        ext: expect.objectContaining({ sfdc: { failureReason: '503::Server is too busy' } }),
      }),
    ]);
  });
});
