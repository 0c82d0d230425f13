import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { PatchbayError, defineAction, defineConnection, defineConnector, z } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { connectionRows, connectionsProcess, crmWith } from '../../test/builders/connections-process.js';
import { eventually } from '../../test/builders/eventually.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { ConnectionCare } from './connection-care.js';
import { ConnectionTroubles } from './connection-troubles.js';
import { type ConnectionsService } from './connections.service.js';
import { type ConnectionsStore } from './connections.store.js';

interface Client {
  readonly password: string;
}

const closed: string[] = [];
let openSlow = (): void => undefined;

const account = defineConnection({
  title: 'Account',
  settings: z.object({ password: z.string() }),
  open: async ({ password }): Promise<Client> => {
    if (password.startsWith('slow')) await new Promise<void>((resolve) => (openSlow = resolve));
    if (password === 'slow to refuse') throw new PatchbayError('connection.unauthorised');
    return { password };
  },
  close: ({ password }: Client) => void closed.push(password),
  needsAuthorisation: ({ password }: Client) => password !== 'right',
  test: ({ password }: Client) =>
    password === 'right' ? Promise.resolve() : Promise.reject(new PatchbayError('connection.unauthorised')),
});
const write = defineAction({
  title: 'Write',
  summary: 'Writes.',
  connection: account,
  input: z.object({}),
  output: z.object({}),
  examples: [],
  repeatable: 'Yes.',
  run: () => ({}),
});
const crm = crmWith(account, { write });
const desk = defineConnector({
  name: 'desk',
  title: 'Desk',
  summary: 'A desk.',
  connection: defineConnection({
    title: 'Desk',
    settings: z.object({}),
    open: () => Promise.resolve({}),
    close: () => void closed.push('desk'),
    test: () => Promise.resolve(),
  }),
  triggers: {},
  actions: {},
});

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => store.pool.query('truncate connection, connection_trouble'));

/** The database has answered when `asked` settles; the hub hears of it with `answer`. */
function lateRows(what: 'changesSince' | 'delete'): {
  rows: ConnectionsStore;
  asked: Promise<void>;
  answer: () => void;
} {
  const real = connectionRows(store);
  let [tell, answer] = [(): void => undefined, (): void => undefined];
  const asked = new Promise<void>((resolve) => (tell = resolve));
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const late = async <T>(answering: Promise<T>): Promise<T> => {
    const answer = await answering;
    tell();
    await answered;
    return answer;
  };
  const members: Partial<ConnectionsStore> = {
    changesSince: (known) => late(real.changesSince(known)),
    delete: (name) => late(real.delete(name)),
  };
  const rows = overlaid(real, { [what]: members[what] });
  return { rows, asked, answer };
}

/** One process of the hub. */
const aProcess = (parts: Parameters<typeof connectionsProcess>[2] = {}): Promise<ConnectionsService> =>
  connectionsProcess(store, [crm, desk], parts);

const step = (connections: ConnectionsService) =>
  connections.using({ uses: 'crm.write', definition: write, asked: 'main' }, (client) => {
    const { password } = client as Client;
    return password === 'right'
      ? Promise.resolve(password)
      : Promise.reject(new PatchbayError('connection.unauthorised'));
  });
const settings = (password: string) => ({ name: 'main', connector: 'crm', settings: { password } });

describe('a connection that needs authorisation', () => {
  it('given two processes, when the settings are changed in one, then both use them and neither waits', async () => {
    const [one, other] = [await aProcess(), await aProcess()];
    await one.add(settings('wrong'));
    await other.refresh();

    await expect(step(other)).rejects.toMatchObject({ code: 'connection.waiting', connection: 'main', retry: 'after' });
    await one.refresh();
    await expect(step(one)).rejects.toMatchObject({ code: 'connection.waiting' });
    expect(one.list()[0]).toMatchObject({ needsAuthorisation: { reason: expect.any(String) } });
    const reopened: string[] = [];
    other.onReopened((name) => void reopened.push(name));

    await one.add(settings('right'));
    await other.refresh();

    expect(reopened).toContain('main');
    await expect(step(one)).resolves.toBe('right');
    await expect(step(other)).resolves.toBe('right');
    expect(other.list()[0]?.needsAuthorisation).toBeUndefined();
  });

  it('given settings that were changed elsewhere, when the old ones are refused, then the step only tries again soon', async () => {
    const [one, other] = [await aProcess(), await aProcess()];
    await one.add(settings('wrong'));
    await other.refresh();
    await other.client('main');
    await one.add(settings('right'));

    await expect(step(other)).rejects.toMatchObject({ code: 'connection.waiting', retryAfterMs: 500 });
    expect(other.list()[0]?.needsAuthorisation).toBeUndefined();
    await expect(step(other)).resolves.toBe('right');
  });

  it('given a refusal that is not about the connection, when a step fails with it, then it is the failure of the step', async () => {
    const connections = await aProcess();
    await connections.add(settings('right'));
    const refused = connections.using({ uses: 'crm.write', definition: write, asked: 'main' }, () =>
      Promise.reject(new PatchbayError('connection.unauthorised')),
    );

    await expect(refused).rejects.toMatchObject({ code: 'connection.unauthorised' });
  });

  it('given a step at work, when the settings are changed, then its client is closed when it has ended, and not before', async () => {
    const connections = await aProcess();
    await connections.add(settings('right'));
    let end = (): void => undefined;
    const isAtWork = new Promise<void>((begun) => {
      void connections.using({ uses: 'crm.write', definition: write, asked: 'main' }, () => {
        begun();
        return new Promise<void>((resolve) => (end = resolve));
      });
    });
    await isAtWork;
    closed.length = 0;

    await connections.add(settings('changed'));
    expect(await connections.client('main')).toEqual({ password: 'changed' });
    expect(closed).toEqual([]);
    end();
    await eventually(() => closed.length > 0);
    expect(closed).toEqual(['right']);
  });

  it('given a store that is away while a connection is removed, when it is removed again, then nobody goes on trying it', async () => {
    let isAway = false;
    const real = new ConnectionTroubles(store.db);
    const troubles = overlaid(real, {
      settle: (name) => (isAway ? Promise.reject(new PatchbayError('store.unavailable')) : real.settle(name)),
    });
    const connections = await aProcess({ troubles });
    await connections.add(settings('wrong'));
    await expect(step(connections)).rejects.toMatchObject({ code: 'connection.waiting' });

    isAway = true;
    await expect(connections.remove('main')).rejects.toMatchObject({ code: 'store.unavailable' });
    isAway = false;
    await connections.remove('main');

    await troubles.lookSoon();
    expect(await troubles.due()).toEqual([]);
  });

  it('given a step that is refused while its connection is removed, then nobody goes on trying it, and what waits may go on', async () => {
    const troubles = new ConnectionTroubles(store.db);
    const connections = await aProcess({ troubles });
    await connections.add(settings('right'));
    await connections.remove('main');
    await troubles.note('main', new PatchbayError('connection.unauthorised'));
    const over: string[] = [];
    troubles.onOver((name) => void over.push(name));
    const signals = { on: () => () => undefined, setInterest: () => undefined, publish: () => undefined };
    const care = new ConnectionCare({ connections, troubles, signals, log: silentLog });

    await care.start();
    await care.stop();

    expect(over).toEqual(['main']);
    await troubles.lookSoon();
    expect(await troubles.due()).toEqual([]);
  });

  it('given a connection that takes long to open, when its settings change meanwhile, then the new client is the one that is known', async () => {
    const connections = await aProcess();
    await connections.add(settings('slow'));
    const old = connections.client('main');
    const changed = connections.add(settings('wrong'));
    await eventually(() => connections.list()[0]?.isOpen === false);
    const fresh = await connections.client('main');
    openSlow();
    await Promise.all([old, changed]);

    expect(await connections.client('main')).toBe(fresh);
    await expect(step(connections)).rejects.toMatchObject({ code: 'connection.waiting', retryAfterMs: 3_600_000 });
  });

  it('given a look whose answer is late, when connections are written meanwhile, then what was written holds', async () => {
    const { rows, asked, answer } = lateRows('changesSince');
    const [connections, other] = [await aProcess({ store: rows }), await aProcess()];
    await connections.add({ ...settings('right'), name: 'removed' });
    await connections.add(settings('wrong'));
    await other.refresh();
    await other.add({ ...settings('right'), name: 'removed' });
    await other.add({ ...settings('wrong'), name: 'elsewhere' });
    await other.add(settings('right'));
    const looking = connections.refresh();
    await asked;

    await connections.add({ ...settings('right'), name: 'added' });
    await connections.add(settings('changed'));
    await connections.remove('removed');
    answer();
    await looking;

    expect([...connections.names().keys()].sort()).toEqual(['added', 'elsewhere', 'main']);
    expect(await connections.client('main')).toEqual({ password: 'changed' });
  });

  it('given a connection that another process removes while this one adds it, when a look is late, then it is there', async () => {
    const { rows, asked, answer } = lateRows('changesSince');
    const [connections, other] = [await aProcess({ store: rows }), await aProcess()];
    await connections.add(settings('wrong'));
    await other.refresh();
    await other.remove('main');
    const looking = connections.refresh();
    await asked;

    await connections.add(settings('right'));
    answer();
    await looking;

    expect(await connections.client('main')).toEqual({ password: 'right' });
  });

  it('given a connection that takes long to open, when it is removed and added again meanwhile, then it stays', async () => {
    const connections = await aProcess();
    await connections.add(settings('slow'));
    const old = connections.client('main');
    const removed = connections.remove('main');
    await eventually(() => connections.list()[0]?.isOpen !== true);

    await connections.add(settings('right'));
    openSlow();
    await Promise.all([old, removed]);

    expect(connections.names().has('main')).toBe(true);
    expect(await connections.client('main')).toEqual({ password: 'right' });
  });

  it('given a connection that is added again before the answer to its removal has come, then it stays', async () => {
    const { rows, asked, answer } = lateRows('delete');
    const connections = await aProcess({ store: rows });
    await connections.add(settings('wrong'));
    const removed = connections.remove('main');
    await asked;

    await connections.add(settings('right'));
    answer();
    await removed;

    expect(connections.names().has('main')).toBe(true);
    expect(await connections.client('main')).toEqual({ password: 'right' });
  });

  it('given a connection that takes long to open, when others remove it and add another, then that is known at once', async () => {
    const [connections, other] = [await aProcess(), await aProcess()];
    await connections.add(settings('slow'));
    const old = connections.client('main');
    await other.refresh();
    await other.remove('main');
    await other.add({ ...settings('right'), name: 'elsewhere' });
    closed.length = 0;

    const looking = connections.refresh();
    await eventually(() => connections.names().has('elsewhere'), { withinMs: 3_000 });
    expect(connections.names().has('main')).toBe(false);
    openSlow();
    await Promise.all([old, looking]);
    await eventually(() => closed.length > 0);
    expect(closed).toEqual(['slow']);
  });

  it('given a connection of another connector under the same name, when it is added, then the old client is closed its own way', async () => {
    const connections = await aProcess();
    await connections.add(settings('right'));
    await connections.client('main');
    closed.length = 0;

    await connections.add({ name: 'main', connector: 'desk', settings: {} });

    await eventually(() => closed.length > 0);
    expect(closed).toEqual(['right']);
  });

  it('given a connection that opens for long, when its settings change and the old ones are refused, then the step only tries again soon', async () => {
    const connections = await aProcess();
    await connections.add(settings('slow to refuse'));
    const old = step(connections).catch((error: unknown) => error);
    await eventually(() => connections.list()[0]?.isOpen === true);
    const changed = connections.add(settings('right'));
    await eventually(() => connections.list()[0]?.isOpen === false);
    openSlow();
    await changed;

    expect(await old).toMatchObject({ code: 'connection.waiting', retryAfterMs: 500 });
    expect(connections.list()[0]?.needsAuthorisation).toBeUndefined();
    await expect(step(connections)).resolves.toBe('right');
  });

  it('given settings that were changed elsewhere, when the old ones do not open, then the step only tries again soon', async () => {
    const [one, other] = [await aProcess(), await aProcess()];
    await one.add(settings('slow to refuse'));
    await other.refresh();
    const old = step(other).catch((error: unknown) => error);
    await eventually(() => other.list()[0]?.isOpen === true);
    await one.add(settings('right'));
    openSlow();

    expect(await old).toMatchObject({ code: 'connection.waiting', retryAfterMs: 500 });
    expect(other.list()[0]?.needsAuthorisation).toBeUndefined();
    await expect(step(other)).resolves.toBe('right');
  });
});
