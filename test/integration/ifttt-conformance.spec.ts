import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../builders/eventually.js';
import { givingPoints } from '../builders/ifttt-flows.js';
import { IftttHub, serviceKey } from '../builders/ifttt-hub.js';

const publishing = `
name: publishing
trigger: { uses: webhook.received }
steps:
  - uses: ifttt.publish
    with:
      trigger: order_paid
      title: An order is paid
      id: "{{event.body.id}}"
      time: "{{event.body.time}}"
      ingredients: { number: "{{event.body.id}}", total: "{{event.body.total}}" }
`;
const inSeconds = (time: string) => Math.floor(Date.parse(time) / 1_000);
const polled = (answer: { body: { data: { meta: { id: string; timestamp: number } }[] } }) => answer.body.data;

let hub: IftttHub;

beforeAll(async () => {
  hub = await IftttHub.start({ flows: { 'publishing.yaml': publishing, 'acting.yaml': givingPoints } });
});

afterAll(() => hub.close(), 60_000);

/** Runs the flow that publishes, and waits until IFTTT could find it. */
async function publish(id: string, time: string): Promise<void> {
  await hub.api('POST', '/hooks/publishing', { id, time, total: '12.50' });
  await eventually(async () => {
    const { body } = await hub.ifttt('POST', '/triggers/order_paid', { triggerFields: {}, limit: 200 });
    return polled({ body }).some(({ meta }) => meta.id === id);
  });
}

describe('status', () => {
  it('given the key, when the status is asked for, then it is 200 with an empty body', async () => {
    const answer = await hub.ifttt('GET', '/status', undefined, { 'content-type': '' });

    expect(answer).toMatchObject({ status: 200, body: '' });
  });

  it.each([
    ['INVALID', { 'ifttt-service-key': 'INVALID' }],
    ['missing', { 'ifttt-service-key': '' }],
    ['a prefix of the right one', { 'ifttt-service-key': serviceKey.slice(0, -1) }],
    ['right, and the one under the old name is not', { 'ifttt-channel-key': 'INVALID' }],
  ])('given a key that is %s, when the status is asked for, then it is 401', async (_, headers) => {
    expect((await hub.ifttt('GET', '/status', undefined, headers)).status).toBe(401);
  });

  it('given the key under its old name only, or under both, when the status is asked for, then it is 200', async () => {
    const old = { 'ifttt-service-key': '', 'ifttt-channel-key': serviceKey };
    expect((await hub.ifttt('GET', '/status', undefined, old)).status).toBe(200);
    expect((await hub.ifttt('GET', '/status', undefined, { 'ifttt-channel-key': serviceKey })).status).toBe(200);
  });
});

describe('the set-up of a test', () => {
  it('given no body and no content type, when a test begins, then samples for everything are given', async () => {
    const answer = await hub.ifttt('POST', '/test/setup', undefined, { 'content-type': '' });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { samples, accessToken } = answer.body.data;
    expect(accessToken).toBeUndefined();
    expect(samples.triggers).toMatchObject({
      contract_event: { network: 'local', contract: 'usdc' },
      token_transfer: { network: 'local', token: 'usdc' },
      transaction_status: { status: 'confirmed' },
    });
    expect(samples.actions.give_points).toMatchObject({ points: '10', colour: 'red' });
    expect(samples.actionRecordSkipping.give_points.wallet).toBe('');
    expect(Object.keys(samples.queries)).toEqual(['list_runs', 'list_transactions']);
  });

  it('given a wrong key, when a test begins, then it is 401', async () => {
    const answer = await hub.ifttt('POST', '/test/setup', undefined, { 'ifttt-service-key': 'INVALID' });

    expect(answer).toMatchObject({ status: 401, body: { errors: [{ message: expect.any(String) }] } });
  });

  it('given the samples, when everything is tried with them, then it answers as the tests of IFTTT want', async () => {
    const { samples } = (await hub.ifttt('POST', '/test/setup')).body.data;
    const test = { 'ifttt-test-mode': '1' };
    for (const [slug, triggerFields] of [...Object.entries(samples.triggers), ['order_paid', {}] as const]) {
      const items = polled(await hub.ifttt('POST', `/triggers/${slug}`, { triggerFields }, test));
      expect({ slug, count: items.length >= 3 }).toEqual({ slug, count: true });
      expect(new Set(items.map(({ meta }) => meta.id)).size).toBe(items.length);
      expect(items.map(({ meta }) => meta.timestamp)).toEqual(
        items.map(({ meta }) => meta.timestamp).toSorted((a, b) => b - a),
      );
      const ingredients = items.map((item) => Object.keys(item).sort().join());
      expect(new Set(ingredients).size).toBe(1);
      for (const limit of [0, 1]) {
        const few = polled(await hub.ifttt('POST', `/triggers/${slug}`, { triggerFields, limit }, test));
        expect(few).toHaveLength(limit);
      }
    }
    for (const [slug, fields] of Object.entries<Record<string, { valid: string; invalid: string }>>(
      samples.triggerFieldValidations,
    )) {
      for (const [field, { valid, invalid }] of Object.entries(fields)) {
        const path = `/triggers/${slug}/fields/${field}/validate`;
        expect((await hub.ifttt('POST', path, { value: valid })).body.data).toEqual({ valid: true });
        const refused = await hub.ifttt('POST', path, { value: invalid });
        expect(refused).toMatchObject({ status: 200, body: { data: { valid: false, message: expect.any(String) } } });
      }
    }
    for (const [slug, actionFields] of Object.entries(samples.actions)) {
      const done = await hub.ifttt('POST', `/actions/${slug}`, { actionFields });
      expect(done).toMatchObject({ status: 200, body: { data: [{ id: expect.stringMatching(/^test-/) }] } });
    }
    for (const [slug, actionFields] of Object.entries(samples.actionRecordSkipping)) {
      const skipped = await hub.ifttt('POST', `/actions/${slug}`, { actionFields });
      expect(skipped).toMatchObject({ status: 400, body: { errors: [{ status: 'SKIP' }] } });
    }
    const { body } = await hub.api('GET', '/api/runs?flow=acting');
    expect(body.items).toEqual([]);
  });
});

describe('who the user is', () => {
  it('given a service without users, when it is asked, then it is the hub', async () => {
    const answer = await hub.ifttt('GET', '/user/info');

    expect(answer).toMatchObject({ status: 200, body: { data: { id: 'patchbay', name: 'Patchbay' } } });
    expect((await hub.ifttt('GET', '/user/info', undefined, { 'ifttt-service-key': 'INVALID' })).status).toBe(401);
  });
});

describe('a trigger that is polled', () => {
  it('given published items, when it is polled again and again, then the newest are given each time, newest first', async () => {
    await publish('A-1', '2026-01-01T00:00:01.900Z');
    await publish('A-3', '2026-01-01T00:00:03Z');
    await publish('A-2', '2026-01-01T00:00:02Z');

    const first = await hub.ifttt('POST', '/triggers/order_paid', { trigger_identity: 'one', triggerFields: {} });
    const again = await hub.ifttt(
      'POST',
      '/triggers/order_paid',
      { trigger_identity: 'one' },
      { 'x-ifttt-realtime': '1' },
    );

    expect(polled(first).map(({ meta }) => meta)).toEqual([
      { id: 'A-3', timestamp: inSeconds('2026-01-01T00:00:03Z') },
      { id: 'A-2', timestamp: inSeconds('2026-01-01T00:00:02Z') },
      { id: 'A-1', timestamp: inSeconds('2026-01-01T00:00:01Z') },
    ]);
    expect(polled(again)).toEqual(polled(first));
    expect(polled(first)[0]).toMatchObject({ number: 'A-3', total: '12.50' });
  });

  it('given limits, when it is polled, then 0 gives none, 1 the newest, and nonsense is refused', async () => {
    const ask = (limit: unknown) => hub.ifttt('POST', '/triggers/order_paid', { triggerFields: {}, limit });

    expect(polled(await ask(0))).toEqual([]);
    expect(polled(await ask(1)).map(({ meta }) => meta.id)).toEqual(['A-3']);
    for (const limit of [-1, 1.5, 'many']) expect((await ask(limit)).status).toBe(400);
  });

  it('given sixty items, when no limit is given, then fifty come; what was published twice is there once', async () => {
    const time = (index: number) => new Date(Date.UTC(2025, 0, 1, 0, index)).toISOString();
    for (let index = 0; index < 60; index += 1) {
      await hub.api('POST', '/hooks/publishing', { id: `B-${index}`, time: time(index), total: '1' });
    }
    await hub.api('POST', '/hooks/publishing', { id: 'B-59', time: time(59), total: '2' });
    const all = await eventually(async () => {
      const items = polled(await hub.ifttt('POST', '/triggers/order_paid', { triggerFields: {}, limit: 200 }));
      return items.length >= 63 ? items : undefined;
    });

    expect(all).toHaveLength(63);
    const usual = polled(await hub.ifttt('POST', '/triggers/order_paid', { triggerFields: {} }));
    expect(usual).toEqual(all.slice(0, 50));
  });

  it('given extra data everywhere, when it is polled, then it is ignored', async () => {
    const body = {
      triggerFields: { [randomUUID()]: 'x' },
      [randomUUID()]: { deep: [1] },
      user: { timezone: 'x', y: 1 },
    };

    expect((await hub.ifttt('POST', '/triggers/order_paid', body)).status).toBe(200);
  });

  it.each([
    ['all fields are missing', {}],
    ['one field is missing', { triggerFields: { network: 'local', contract: 'usdc' } }],
    ['one field is empty', { triggerFields: { network: 'local', contract: 'usdc', event: '' } }],
    ['the network is unknown', { triggerFields: { network: 'moon', contract: 'usdc', event: 'Transfer' } }],
    ['the contract is unknown', { triggerFields: { network: 'local', contract: 'nope', event: 'Transfer' } }],
    ['the event is unknown', { triggerFields: { network: 'local', contract: 'usdc', event: 'Nope' } }],
    ['the fields are no object', { triggerFields: 'network' }],
  ])('given that %s, when it is polled, then it is 400 and says what to do', async (_, body) => {
    const answer = await hub.ifttt('POST', '/triggers/contract_event', body);

    expect(answer).toMatchObject({ status: 400, body: { errors: [{ message: expect.stringMatching(/\w+ \w+/) }] } });
  });

  it('given a slug that nobody offers, when it is polled, then it is 404; with a wrong key it is 401', async () => {
    expect(await hub.ifttt('POST', '/triggers/nope', { triggerFields: {} })).toMatchObject({
      status: 404,
      body: { errors: [{ message: expect.stringContaining('patchbay ifttt sheet') }] },
    });
    const wrong = { 'ifttt-service-key': 'INVALID' };
    for (const path of [
      '/triggers/order_paid',
      '/triggers/contract_event/fields/network/options',
      '/triggers/contract_event/fields/contract/validate',
      '/actions/give_points',
      '/queries/list_runs',
      '/webhooks/connection/enabled',
    ]) {
      expect(await hub.ifttt('POST', path, {}, wrong)).toMatchObject({ status: 401, body: { errors: [{}] } });
    }
  });
});

describe('an identity that nobody uses any more', () => {
  it('given JSON as content type and no body, when it is deleted twice, then both are 200', async () => {
    const path = '/triggers/order_paid/trigger_identity/one';

    expect((await hub.ifttt('DELETE', path)).status).toBe(200);
    expect((await hub.ifttt('DELETE', path)).status).toBe(200);
    expect((await hub.ifttt('DELETE', path, undefined, { 'ifttt-service-key': 'INVALID' })).status).toBe(401);
  });
});

describe('fields', () => {
  it('given dynamic fields, when choices are asked for, then they are those of the hub, grouped at most once', async () => {
    const networks = await hub.ifttt('POST', '/triggers/contract_event/fields/network/options', {});
    const contracts = await hub.ifttt('POST', '/triggers/contract_event/fields/contract/options');
    const events = await hub.ifttt('POST', '/triggers/contract_event/fields/event/options', {});
    const states = await hub.ifttt('POST', '/queries/list_runs/fields/state/options', {});
    const colours = await hub.ifttt('POST', '/actions/give_points/fields/colour/options', {});

    expect(networks.body.data).toEqual([{ label: 'local', value: 'local' }]);
    expect(contracts.body.data[0]).toMatchObject({
      label: 'local',
      values: expect.arrayContaining([{ label: 'usdc', value: 'usdc' }]),
    });
    expect(JSON.stringify(events.body.data)).toContain('"Transfer(address,address,uint256)"');
    expect(states.body.data).toContainEqual({ label: 'failed', value: 'failed' });
    expect(colours.body.data).toEqual([
      { label: 'Red', value: 'red' },
      { label: 'Blue', value: 'blue' },
    ]);
    expect((await hub.ifttt('POST', '/triggers/contract_event/fields/nope/options', {})).status).toBe(404);
  });

  it.each(['/triggers/contract_event/validate', '/triggers/contract_event/fields/validate'])(
    'given all values at once, when %s judges them, then each field is told apart',
    async (path) => {
      const good = { network: 'local', contract: 'usdc', event: 'Transfer' };
      const filtered = { ...good, filter_argument: 'value', filter_operator: 'gte', filter_value: '10' };
      const wrong = { ...good, filter_argument: 'amount', filter_value: '' };

      expect((await hub.ifttt('POST', path, { values: good })).body.data).toEqual({
        network: { valid: true },
        contract: { valid: true },
        event: { valid: true },
      });
      expect(Object.values((await hub.ifttt('POST', path, { values: filtered })).body.data)).toEqual(
        Array.from({ length: 6 }, () => ({ valid: true })),
      );
      expect((await hub.ifttt('POST', path, { values: wrong })).body.data).toMatchObject({
        filter_argument: { valid: false, message: expect.stringContaining('value') },
        filter_value: { valid: false },
      });
      expect((await hub.ifttt('POST', path, { values: { ...good, contract: 'nope' } })).body.data).toMatchObject({
        contract: { valid: false, message: expect.stringContaining('usdc') },
      });
      expect((await hub.ifttt('POST', path, {})).status).toBe(400);
    },
  );
});

describe('a query', () => {
  it('given more rows than asked for, when it is read page by page, then each comes once and the last has no cursor', async () => {
    const all = await hub.ifttt('POST', '/queries/list_runs', { queryFields: { flow: 'publishing', state: '' } });
    expect(all.body.data.length).toBe(50);
    expect(all.body.cursor).toEqual(expect.any(String));
    const rest = await hub.ifttt('POST', '/queries/list_runs', {
      queryFields: { flow: 'publishing' },
      cursor: all.body.cursor,
    });
    expect(rest.body.cursor).toBeUndefined();
    const ids = [...all.body.data, ...rest.body.data].map((row: { run_id: string }) => row.run_id);
    expect(new Set(ids).size).toBe(ids.length);
    const one = await hub.ifttt('POST', '/queries/list_runs', { queryFields: {}, limit: 1 });
    expect(one.body).toMatchObject({ data: [{ flow: expect.any(String) }], cursor: expect.any(String) });
    expect((await hub.ifttt('POST', '/queries/list_transactions', { queryFields: {}, limit: 0 })).body).toEqual({
      data: [],
    });
  });

  it('given no fields, a wrong state or a cursor that is none, when it is read, then it is 400', async () => {
    for (const body of [{}, { queryFields: { state: 'lost' } }, { queryFields: {}, cursor: 'x' }]) {
      expect(await hub.ifttt('POST', '/queries/list_runs', body)).toMatchObject({
        status: 400,
        body: { errors: [{}] },
      });
    }
    expect((await hub.ifttt('POST', '/queries/nope', { queryFields: {} })).status).toBe(404);
  });
});

describe('webhooks of Connect', () => {
  it('given each of them, when it comes with the key, then it is recorded', async () => {
    const body = { sent_at: 1, data: { connection_id: 'c', user_id: 'u' }, event_data: { enabled_at: 1 } };
    for (const path of [
      'connection/enabled',
      'connection/updated',
      'connection/disabled',
      'trigger_subscription/fired',
    ]) {
      expect((await hub.ifttt('POST', `/webhooks/${path}`, body)).status).toBe(200);
    }
    expect((await hub.ifttt('POST', '/webhooks/connection/lost', body)).status).toBe(404);
    expect((await hub.ifttt('POST', '/webhooks/connection/enabled', {})).status).toBe(400);

    const { webhooks } = (await hub.api('GET', '/api/ifttt')).body;
    expect(webhooks).toHaveLength(4);
    expect(webhooks[0]).toMatchObject({ type: 'trigger_subscription', event: 'fired', body });
  });
});

describe('everything else under the prefix', () => {
  it.each([
    ['GET', '/nope'],
    ['POST', ''],
    ['PUT', '/status'],
    ['GET', '/triggers/order_paid'],
    ['POST', '/triggers/order_paid/fields'],
  ])('given %s %s, when it is called, then it is 404 in the shape of IFTTT', async (method, path) => {
    const answer = await hub.ifttt(method, path, method === 'GET' ? undefined : {});

    expect(answer).toMatchObject({ status: 404, body: { errors: [{ message: expect.any(String) }] } });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('given a body over the limit, or an address that cannot be read, when it is sent, then the refusal has the shape of IFTTT', async () => {
    const large = await hub.ifttt('POST', '/triggers/order_paid', JSON.stringify({ of: 'x'.repeat(2_000_000) }));
    const broken = await hub.ifttt('POST', '/triggers/%ff', {});

    for (const answer of [large, broken]) {
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ message: expect.any(String) }] } });
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });

  it('given a long answer and a caller that unpacks, when it is read, then it came packed', async () => {
    const answer = await hub.ifttt(
      'POST',
      '/triggers/order_paid',
      { triggerFields: {} },
      { 'accept-encoding': 'gzip' },
    );

    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(polled(answer)).toHaveLength(50);
  });

  it('given a request id, when anything is called, then it is the id of the request in the log', async () => {
    const id = randomUUID().replaceAll('-', '');

    expect((await hub.ifttt('GET', '/status', undefined, { 'x-request-id': id })).headers.get('x-request-id')).toBe(id);
  });
});

describe('the set-up sheet', () => {
  it('given flows and built-in triggers, when it is printed, then it names every slug, field and ingredient', async () => {
    const sheet = await hub.api('GET', '/api/ifttt/sheet');

    expect(sheet.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    for (const part of [
      '`https://hub.example`',
      '### An order is paid',
      '`order_paid` (`/ifttt/v1/triggers/order_paid`)',
      '| Total | `total` | String |',
      '`give_points`',
      '| Wallet | `wallet` |',
      '`deduplication_key`',
      '`contract_event`',
      '`token_transfer`',
      '`transaction_status`',
      '`list_runs`',
      'Authentication | none',
    ]) {
      expect(sheet.body).toContain(part);
    }
    expect(sheet.body).not.toContain(serviceKey);
  });
});
