import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Heard, Incident, Logger, PatchbayError, z } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { pushTopic } from './push-topic.trigger.js';
import type { SalesforceClient } from './salesforce.client.js';

type TopicEvent = z.output<typeof pushTopic.event>;

const quick = { graceMs: 200, firstPauseMs: 10, longestPauseMs: 50 };

function recalled(heard: readonly Heard<TopicEvent>[], subjects: readonly string[]): Map<string, Heard<TopicEvent>> {
  return new Map(
    heard.flatMap((one) => (one.subject !== undefined && subjects.includes(one.subject) ? [[one.subject, one]] : [])),
  );
}

describe('salesforce.pushTopic', () => {
  let salesforce: SalesforceOrg;
  let client: SalesforceClient;
  let log: Logger & { readonly warnings: string[] };

  beforeEach(async () => {
    const warnings: string[] = [];
    log = { ...silentLog, warnings, warn: (message) => warnings.push(message) };
    salesforce = await startSalesforce();
    client = salesforce.client({ stream: quick, log });
  });
  afterEach(() => salesforce.stop());

  const win = (Name: string) => {
    const deal = { Name, StageName: 'Closed Won', CloseDate: '2026-12-01', Amount: 12, Wallet__c: '0xabc' };
    return salesforce.org.create('Opportunity', deal);
  };
  const isListening = (channels = 1) =>
    salesforce.org.state().streamingClients.some((seat) => seat.isPolling && seat.channels.length === channels);

  /** Listens as the hub does: keeps what is emitted, and the place. */
  function listen(
    input: Record<string, unknown> = {},
    cursor?: string,
    emit: () => Promise<void> = async () => undefined,
  ) {
    const stop = new AbortController();
    const heard: { readonly id: string; readonly name: unknown; readonly whole: Heard<TopicEvent> }[] = [];
    const incidents: Incident[] = [];
    const kept: { cursor: string | undefined; error: PatchbayError | undefined } = { cursor, error: undefined };
    const done = pushTopic.listen?.({
      input: pushTopic.input.parse({ topic: 'WonOpportunities', ...input }),
      client,
      cursor,
      signal: stop.signal,
      log,
      use: () => {
        throw new Error('not used');
      },
      retract: () => Promise.resolve(),
      recall: (subjects) =>
        Promise.resolve(
          recalled(
            heard.map(({ whole }) => whole),
            subjects,
          ),
        ),
      report: (incident) => Promise.resolve(void incidents.push(incident)),
      async emit(events, options) {
        if ([events].flat().length > 0) await emit();
        for (const one of [events].flat()) {
          pushTopic.event.parse(one.event);
          heard.push({ id: one.id, name: one.event.sobject['Name'], whole: one });
        }
        kept.cursor = options?.cursor;
      },
    });
    const ended = Promise.resolve(done).catch((error: PatchbayError) => (kept.error = error));
    const names = () => heard.map(({ name }) => name);
    return {
      heard,
      incidents,
      kept,
      names,
      hears: (...expected: string[]) => eventually(() => JSON.stringify(names()) === JSON.stringify(expected)),
      async stop() {
        stop.abort();
        await ended;
      },
    };
  }

  it('given a topic, when an opportunity is won, then one event with a key, a time and a subject is emitted', async () => {
    const listener = listen();
    await eventually(isListening);

    const id = win('A');
    await listener.hears('A');

    const { orgId } = salesforce.org.state();
    expect(listener.heard[0]?.whole).toEqual({
      id: expect.stringMatching(new RegExp(`^${orgId}:WonOpportunities:\\d+$`)),
      time: expect.any(String),
      subject: id,
      event: {
        type: 'created',
        replayId: expect.any(Number),
        createdDate: expect.any(String),
        sobject: { Id: id, Name: 'A', StageName: 'Closed Won', Amount: 12, Wallet__c: '0xabc' },
      },
    });
    expect(listener.kept.cursor).toMatch(new RegExp(`^${orgId}:\\d+@\\d+/\\d+$`));
    await listener.stop();
  });

  it('given a listener that was stopped, when it begins again at its place, then it hears what it missed and nothing twice', async () => {
    const before = listen();
    await eventually(isListening);
    win('A');
    await before.hears('A');
    await before.stop();
    win('B');
    win('C');

    const after = listen({}, before.kept.cursor);
    await after.hears('B', 'C');

    win('D');
    await after.hears('B', 'C', 'D');
    await after.stop();
  });

  it('given a listener that has heard nothing yet, when it is started again, then what happened meanwhile is heard', async () => {
    const before = listen();
    await eventually(() => before.kept.cursor !== undefined);
    await before.stop();
    win('A');

    const after = listen({}, before.kept.cursor);

    await after.hears('A');
    await after.stop();
  });

  it('given a listener that has heard nothing yet, when its first answer is lost, then the event is heard', async () => {
    const listener = listen();
    await eventually(isListening);
    salesforce.org.addFault({ kind: 'loseAnswer', on: 'cometd' });

    win('A');

    await listener.hears('A');
    await listener.stop();
  });

  it('given no place, when the start is earliest, then what is kept comes first; when it is new, then it does not', async () => {
    win('A');
    const all = listen({ start: 'earliest' });
    await all.hears('A');
    const fresh = listen();
    await eventually(isListening);

    win('B');
    await Promise.all([all.hears('A', 'B'), fresh.hears('B')]);
    await Promise.all([all.stop(), fresh.stop()]);
  });

  it('given several listeners, when they hear two topics, then the org sees one client, and each has its own place', async () => {
    salesforce.org.create('PushTopic', { Name: 'Accounts', Query: 'SELECT Id, Name FROM Account', ApiVersion: 62 });
    const early = listen();
    await eventually(isListening);
    win('A');
    await early.hears('A');
    const place = early.kept.cursor;
    win('B');
    const late = listen({}, place);
    const accounts = listen({ topic: 'Accounts' });
    await late.hears('B');
    await eventually(() => isListening(2));

    salesforce.org.create('Account', { Name: 'Acme' });
    win('C');

    await Promise.all([early.hears('A', 'B', 'C'), late.hears('B', 'C'), accounts.hears('Acme')]);
    expect(salesforce.org.state().streamingClients).toHaveLength(1);
    await Promise.all([early.stop(), late.stop(), accounts.stop()]);
    await eventually(() => salesforce.org.state().streamingClients.length === 0);
  });

  it.each([
    ['is told to shake hands again', { kind: 'dropStreams', advice: 'handshake' }],
    ['is thrown out with advice none', { kind: 'dropStreams', advice: 'none' }],
    ['is sent /meta/disconnect', { kind: 'dropStreams', advice: 'disconnect' }],
    ['loses its session', { kind: 'expireSessions' }],
    ['loses an answer with events', { kind: 'loseAnswer', on: 'cometd' }],
    ['is not answered any more', { kind: 'silentStream' }],
    ['meets a maintenance page', { kind: 'status', on: 'cometd', status: 503, html: '<h1>Down</h1>', times: 3 }],
    ['meets a gateway that answers 401', { kind: 'status', on: 'cometd', status: 401 }],
  ] as const)('given a stream, when it %s, then every event is heard once, in order', async (_, fault) => {
    const listener = listen();
    await eventually(isListening);
    win('A');
    await listener.hears('A');

    await eventually(isListening);
    salesforce.org.addFault(fault);
    win('B');
    win('C');

    await listener.hears('A', 'B', 'C');
    await eventually(isListening);
    win('D');
    await listener.hears('A', 'B', 'C', 'D');
    expect(new Set(listener.heard.map(({ id }) => id)).size).toBe(4);
    await listener.stop();
  });

  it.each([
    ['earliest', ['B', 'C', 'D']],
    ['new', ['D']],
  ])(
    'given an expired place, when the policy is %s, then the gap is logged and %j are heard',
    async (onExpired, names) => {
      const before = listen();
      await eventually(isListening);
      win('A');
      await before.hears('A');
      await before.stop();
      salesforce.org.addFault({ kind: 'expireReplay' });
      win('B');
      win('C');

      const after = listen({ onExpired }, before.kept.cursor);
      await eventually(isListening);
      win('D');

      await after.hears(...names);
      expect(log.warnings).toContain('Events of Salesforce were missed: the place is no longer kept');
      await after.stop();
    },
  );

  it('given an expired place, when the policy is fail, then the listener ends and others go on', async () => {
    const { orgId } = salesforce.org.state();
    const other = listen();
    await eventually(isListening);
    const expired = listen({ onExpired: 'fail' }, `${orgId}:1`);

    await eventually(() => expired.kept.error !== undefined);
    expect(expired.kept.error).toMatchObject({ code: 'salesforce.replayExpired' });

    await eventually(isListening);
    win('A');
    await other.hears('A');
    await other.stop();
  });

  it('given a place of another org, when listening begins, then it counts as expired', async () => {
    win('A');
    const listener = listen({}, '00D000000000009AAA:101');

    await listener.hears('A');
    expect(log.warnings).toContain('Events of Salesforce were missed: the place is no longer kept');
    await listener.stop();
  });

  it('given a topic that does not exist, when listening begins, then the configuration is at fault and others go on', async () => {
    const other = listen();
    await eventually(isListening);
    const misspelt = listen({ topic: 'WonOportunities' });

    await eventually(() => misspelt.kept.error !== undefined);
    expect(misspelt.kept.error).toMatchObject({
      code: 'salesforce.configuration',
      detail: expect.stringContaining('WonOportunities'),
    });

    win('A');
    await other.hears('A');
    await other.stop();
  });

  it('given credentials that are refused, when listening begins, then it ends with that error', async () => {
    salesforce.org.addFault({
      kind: 'refuseLogin',
      error: 'invalid_client',
      description: 'invalid client credentials',
    });
    const listener = listen();

    await eventually(() => listener.kept.error !== undefined);

    expect(listener.kept.error).toMatchObject({ code: 'connection.unauthorised' });
  });

  it('given many events while one is being kept, when it is kept, then the rest arrives in few batches', async () => {
    let batches = 0;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const listener = listen({}, undefined, () => {
      batches += 1;
      return gate;
    });
    await eventually(isListening);
    for (let index = 0; index < 300; index += 1) win(`Deal ${index}`);
    await eventually(() => batches === 1);
    open();

    await eventually(() => listener.heard.length === 300);

    expect(new Set(listener.heard.map(({ id }) => id)).size).toBe(300);
    expect(batches).toBeLessThan(10);
    await listener.stop();
  });

  it('given an emit that fails, when the listener is started again at its kept place, then the event is heard', async () => {
    const failing = listen({}, undefined, () => Promise.reject(new Error('the store is away')));
    await eventually(isListening);
    win('A');
    await eventually(() => failing.kept.error !== undefined);

    const again = listen({ start: 'earliest' }, failing.kept.cursor);

    await again.hears('A');
    await again.stop();
  });
});
