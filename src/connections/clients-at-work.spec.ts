import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FlowChecker } from '#flows';
import type { Store } from '#platform';
import { PatchbayError, defineAction, defineConnection, z } from '#sdk';
import { noService } from '../../test/builders/action-call.js';
import { catalogOf } from '../../test/builders/catalog-of.js';
import { connectionsProcess, crmWith } from '../../test/builders/connections-process.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { browse } from './connection-objects.js';
import type { ConnectionsService } from './connections.service.js';

interface Client {
  readonly password: string;
  isClosed: boolean;
}

/** What the clients were asked with, in order. */
let asked: string[];
let begun: () => void;
/** The answer to the first question; the others are answered at once. */
let held: Promise<void>;

async function answerOf(client: Client): Promise<void> {
  asked.push(client.password);
  if (asked.length === 1) {
    begun();
    await held;
  }
  if (client.isClosed) throw new Error('The client is closed');
  if (client.password === 'wrong') throw new PatchbayError('connection.unauthorised');
}

const account = defineConnection({
  title: 'Account',
  settings: z.object({ password: z.string() }),
  open: ({ password }): Client => ({ password, isClosed: false }),
  close: (client: Client) => void (client.isClosed = true),
  needsAuthorisation: ({ password }: Client) => password === 'wrong',
  test: answerOf,
  objects: {
    list: (client: Client) => answerOf(client).then(() => []),
    describe: () => Promise.reject(new Error('Nothing is described here')),
  },
});
const write = defineAction({
  title: 'Write',
  summary: 'Writes.',
  connection: account,
  input: z.object({}),
  output: z.object({}),
  examples: [],
  repeatable: 'Yes.',
  check: ({ client }) => answerOf(client).then(() => []),
  run: () => ({}),
});
const crm = crmWith(account, { write });
const calm = new AbortController().signal;

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(() => store.pool.query('truncate connection, connection_trouble'));

describe('a client at work', () => {
  let connections: ConnectionsService;
  let isAtWork: Promise<void>;
  let release: () => void;

  beforeEach(async () => {
    asked = [];
    isAtWork = new Promise((resolve) => (begun = resolve));
    held = new Promise((resolve) => (release = resolve));
    connections = await connectionsProcess(store, [crm]);
  });

  const add = (password: string) => connections.add({ name: 'main', connector: 'crm', settings: { password } });

  /** Lets `work` ask, changes the settings under it, and lets it be answered. */
  async function changedUnder<T>(work: () => Promise<T>, password: string): Promise<PromiseSettledResult<T>> {
    const working = Promise.allSettled([work()]);
    await isAtWork;
    await add(password);
    release();
    const [ended] = await working;
    return ended;
  }

  it.each([
    ['work, when they are changed to others that do', 'right', 'changed'],
    ['are refused, when they are changed to others that work', 'wrong', 'right'],
  ])(
    'given settings that %s while they are tried, then the new ones are tried too, and work',
    async (_, old, fresh) => {
      await add(old);

      const ended = await changedUnder(() => connections.test('main', calm), fresh);

      expect(ended).toMatchObject({ status: 'fulfilled' });
      expect(asked).toEqual([old, fresh]);
      expect(connections.list()[0]?.needsAuthorisation).toBeUndefined();
    },
  );

  it('given settings that work, when they are changed to wrong ones while they are tried, then that is told', async () => {
    await add('right');

    const ended = await changedUnder(() => connections.test('main', calm), 'wrong');

    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'connection.unauthorised' } });
  });

  it('given settings that are tried, when the connection is removed meanwhile, then it is told that there is none', async () => {
    await add('right');
    const trying = Promise.allSettled([connections.test('main', calm)]);
    await isAtWork;
    await connections.remove('main');
    release();

    expect(await trying).toMatchObject([{ reason: { code: 'connection.notFound' } }]);
  });

  it('given a flow that is checked, when the settings are changed meanwhile, then its client answers to the end', async () => {
    await add('right');
    const checker = new FlowChecker({ catalog: catalogOf([crm]), connections, use: noService });
    const document =
      'name: notes\ntrigger: { uses: webhook.received }\nsteps: [{ uses: crm.write, connection: main }]\n';

    const ended = await changedUnder(() => checker.check(document), 'changed');

    expect(ended).toEqual({ status: 'fulfilled', value: { faults: [], warnings: [] } });
  });

  it('given objects that are listed, when the settings are changed meanwhile, then the client answers to the end', async () => {
    await add('right');
    const listed = () => browse(connections, catalogOf([crm]), 'main', (objects, client) => objects.list(client, calm));

    expect(await changedUnder(listed, 'changed')).toEqual({ status: 'fulfilled', value: [] });
  });
});
