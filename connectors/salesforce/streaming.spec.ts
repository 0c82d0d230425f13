import { randomInt } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpClient } from '#sdk';
import { aHttpClient } from '../../test/builders/action-call.js';
import { changesInOrder, randomBreaker } from '../../test/builders/record-storm.js';
import { eventually } from '../../test/builders/eventually.js';
import { startListening } from '../../test/builders/listening.js';
import { overlaid } from '../../test/builders/overlaid.js';
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

  it('given one who leaves before its subscription is answered, when another one comes, then it hears what is new', async () => {
    salesforce = await startSalesforce();
    const held = heldSubscription('/event/Settled__e', 'answer');
    const client = salesforce.client({ stream: quick, http: held.http });
    const other = startListening(changeDataCapture, { client, with: { object: 'Account' } });
    await eventually(() => other.cursor !== undefined);
    const settled = { client, with: { event: 'Settled__e' } };
    const first = startListening(platformEvent, settled);
    await held.arrived;

    await first.stop();
    const second = startListening(platformEvent, settled);
    held.release();
    await eventually(() => second.cursor !== undefined);
    salesforce.org.publish('Settled__e', { Hash__c: '0x1' });

    await eventually(() => second.heard.length === 1);
    await Promise.all([other.stop(), second.stop()]);
  });

  it('given one who leaves before its subscription reaches the org, then the org sends its events to nobody', async () => {
    salesforce = await startSalesforce();
    const held = heldSubscription('/event/Settled__e', 'request');
    const client = salesforce.client({ stream: quick, http: held.http });
    const other = startListening(changeDataCapture, { client, with: { object: 'Account' } });
    await eventually(() => other.cursor !== undefined);
    const first = startListening(platformEvent, { client, with: { event: 'Settled__e' } });
    await held.arrived;

    await first.stop();
    held.release();
    await held.answered;

    const channels = () => salesforce.org.state().streamingClients.flatMap((seat) => seat.channels);
    await eventually(() => channels().join() === '/data/AccountChangeEvent');
    await other.stop();
  });
});

/** The way to the org, on which the first subscription to a channel is held up, going there or coming back. */
function heldSubscription(channel: string, what: 'request' | 'answer') {
  const http = aHttpClient();
  let [tellArrived, tellAnswered, release] = [noop, noop, noop];
  const arrived = new Promise<void>((resolve) => (tellArrived = resolve));
  const answered = new Promise<void>((resolve) => (tellAnswered = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const hold = (): Promise<void> => (tellArrived(), released);
  const request: HttpClient['request'] = async (asked) => {
    if (!JSON.stringify(asked.body ?? '').includes(`"subscription":"${channel}","ext"`)) return http.request(asked);
    if (what === 'request') await hold();
    const answer = await http.request(asked);
    if (what === 'answer') await hold();
    tellAnswered();
    return answer;
  };
  return { http: overlaid(http, { request }), arrived, release, answered };
}

function noop(): void {}
