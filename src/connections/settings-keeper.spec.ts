import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Store } from '#platform';
import { defineConnection, z, type OpenContext } from '#sdk';
import { connectionRows, connectionsProcess, crmWith } from '../../test/builders/connections-process.js';
import { overlaid } from '../../test/builders/overlaid.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { type ConnectionsService, type ConnectionsParts } from './connections.service.js';

interface Client {
  readonly token: string | undefined;
  readonly keep: NonNullable<OpenContext['keep']>;
}

const account = defineConnection({
  title: 'Account',
  settings: z.object({ user: z.string(), token: z.string().optional() }),
  open: async ({ token }, { keep = () => Promise.resolve() }): Promise<Client> => {
    if (token === 'exchanged at once') await keep({ token: 'while opening' });
    return { token, keep };
  },
  authorisation: {
    gives: ['token'],
    address: () => 'http://localhost/authorise',
    redeem: (_settings, { code }) => Promise.resolve({ token: code }),
  },
});
const crm = crmWith(account);
const inFile = { name: 'main', connector: 'crm', section: undefined, isDefault: false, settings: { user: 'ada' } };
const added = { name: 'main', connector: 'crm', settings: { user: 'ada' } };

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => store.pool.query('truncate connection, connection_trouble'));

/** One process of the hub. */
const aProcess = (
  declared: ConnectionsParts['declared'] = [],
  rows = connectionRows(store),
): Promise<ConnectionsService> => connectionsProcess(store, [crm], { declared, store: rows });

const clientOf = async (connections: ConnectionsService): Promise<Client> =>
  (await connections.client('main')) as Client;
const authorise = (connections: ConnectionsService, code: string): Promise<void> =>
  connections.authorise('main', { code, redirectUri: 'http://localhost/callback', verifier: 'verifier' });

describe.each([
  { origin: 'file', declared: [inFile] },
  { origin: 'store', declared: [] },
])('what a client exchanges, for a connection of the $origin', ({ origin, declared }) => {
  const tokenAfterRestart = async (): Promise<string | undefined> => (await clientOf(await aProcess(declared))).token;

  async function firstProcess(rows = connectionRows(store)): Promise<ConnectionsService> {
    const connections = await aProcess(declared, rows);
    if (origin === 'store') await connections.add(added);
    return connections;
  }

  it('given nothing was authorised, when it is exchanged again and again, then the last is kept', async () => {
    const { keep } = await clientOf(await firstProcess());

    await Promise.all(['one', 'two', 'three'].map((token) => keep({ token })));

    expect(await tokenAfterRestart()).toBe('three');
  });

  it('given a client that exchanges while it opens, then that is kept', async () => {
    const connections = await firstProcess();
    await authorise(connections, 'exchanged at once');

    const { keep } = await clientOf(connections);

    expect(await tokenAfterRestart()).toBe('while opening');
    await keep({ token: 'later' });
    expect(await tokenAfterRestart()).toBe('later');
  });

  it('given the connection is authorised anew, when the client from before exchanges, then the new one holds', async () => {
    const connections = await firstProcess();
    await authorise(connections, 'first');
    const { keep } = await clientOf(connections);
    await keep({ token: 'exchanged' });
    await authorise(connections, 'second');

    await keep({ token: 'late' });

    expect((await clientOf(connections)).token).toBe('second');
    expect(await tokenAfterRestart()).toBe('second');
  });

  it('given a client exchanges, when the connection is authorised before the store answers, then the new one holds', async () => {
    const real = connectionRows(store);
    let [tell, answer] = [(): void => undefined, (): void => undefined];
    const written = new Promise<void>((resolve) => (tell = resolve));
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const late = overlaid(real, {
      replace: async (...given) => {
        const version = await real.replace(...given);
        tell();
        await answered;
        return version;
      },
    });
    const connections = await firstProcess(late);
    await authorise(connections, 'first');
    const { keep } = await clientOf(connections);
    const kept = keep({ token: 'late' });
    await written;
    await authorise(connections, 'second');
    answer();
    await kept;

    expect((await clientOf(connections)).token).toBe('second');
    expect(await tokenAfterRestart()).toBe('second');
  });

  it('given it is authorised in another process, when a client here exchanges, then the new one holds', async () => {
    const connections = await firstProcess();
    await authorise(connections, 'first');
    const other = await aProcess(declared);
    const { keep } = await clientOf(other);
    await authorise(connections, 'second');

    await keep({ token: 'late' });

    await other.refresh();
    expect((await clientOf(other)).token).toBe('second');
    expect(await tokenAfterRestart()).toBe('second');
  });
});

it('given a connection that is removed, when its client exchanges, then it does not come back', async () => {
  const connections = await aProcess();
  await connections.add(added);
  const other = await aProcess();
  const { keep } = await clientOf(other);
  await connections.remove('main');

  await keep({ token: 'late' });

  expect((await aProcess()).list()).toEqual([]);
});
