import { randomInt } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { changesInOrder, randomBreaker } from '../../test/builders/record-storm.js';
import { eventually } from '../../test/builders/eventually.js';
import { startListening } from '../../test/builders/listening.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { changeDataCapture } from './change-data-capture.trigger.js';
import { platformEvent } from './platform-event.trigger.js';
import { pushTopic } from './push-topic.trigger.js';

const quick = { graceMs: 200, firstPauseMs: 10, longestPauseMs: 50, limitPauseMs: 50 };

describe('the stream of one org', () => {
  let salesforce: SalesforceOrg;

  afterEach(() => salesforce.stop());

  it('given ten triggers of three kinds, when they listen, then the org sees one streaming client and one token', async () => {
    salesforce = await startSalesforce();
    const client = salesforce.client({ stream: quick });
    const objects = ['Account', 'Contact', 'Opportunity', 'Lead', 'Case', 'Invoice__c'];
    const triggers = [
      ...objects.map((object) => startListening(changeDataCapture, { client, with: { object } })),
      startListening(changeDataCapture, { client, with: { object: 'Account' } }),
      startListening(pushTopic, { client, with: { topic: 'WonOpportunities' } }),
      startListening(pushTopic, { client, with: { query: 'SELECT Id, Name FROM Account' } }),
      startListening(platformEvent, { client, with: { event: 'Settled__e' } }),
    ];
    await eventually(() => triggers.every(({ cursor }) => cursor !== undefined));
    await eventually(() => salesforce.org.state().streamingClients.some(({ isPolling }) => isPolling));

    salesforce.org.create('Account', { Name: 'Acme' });
    await eventually(() => triggers.filter(({ heard }) => heard.length === 1).length === 3);

    expect(triggers).toHaveLength(10);
    const { streamingClients, tokensIssued } = salesforce.org.state();
    expect(streamingClients).toHaveLength(1);
    expect(streamingClients[0]?.channels).toHaveLength(9);
    expect(tokensIssued).toBe(1);
    await Promise.all(triggers.map((trigger) => trigger.stop()));
  });

  it('given changes while sessions, sockets, tokens and answers break at random, when it is calm again, then each was heard once, in order', async () => {
    salesforce = await startSalesforce();
    const client = salesforce.client({ stream: quick });
    const listener = startListening(changeDataCapture, { client, with: { object: 'Account' } });
    await eventually(() => listener.cursor !== undefined);
    const storm = changesInOrder(salesforce.org, { records: 10, changes: 150 });

    const breakSomething = randomBreaker(salesforce.org);
    for (const change of storm.changes) {
      change();
      if (randomInt(8) === 0) breakSomething();
      await setImmediate();
    }

    await eventually(() => listener.heard.length >= 150, { withinMs: 60_000, what: 'Every change' });
    expect(listener.repeats).toBe(0);
    expect(storm.faultsOf(listener.heard)).toEqual([]);
    await listener.stop();
  });
});
