import { expect, it } from '@jest/globals';
import { defineConnection, z } from '#sdk';
import { connectionsProcess, crmWith } from '../../test/builders/connections-process.js';
import { openTestStore } from '../../test/environment/postgres.js';

it('given a connection that is removed, then who holds its client is told in every process, and finds none', async () => {
  const account = defineConnection({ title: 'Account', settings: z.object({}), open: () => ({}) });
  const store = await openTestStore();
  try {
    const [one, other] = [
      await connectionsProcess(store, [crmWith(account)]),
      await connectionsProcess(store, [crmWith(account)]),
    ];
    await one.add({ name: 'main', connector: 'crm', settings: {} });
    await other.refresh();
    const told: unknown[] = [];
    one.onReopened((name) => told.push(['one', name, one.names().has(name)]));
    other.onReopened((name) => told.push(['other', name, other.names().has(name)]));

    await one.remove('main');
    await other.refresh();

    expect(told).toEqual([
      ['one', 'main', false],
      ['other', 'main', false],
    ]);
  } finally {
    await store.close();
  }
});

it('given settings that name what the hub does not have, when the connection is added, then it is refused', async () => {
  const fault = { pointer: '/desk', detail: 'There is no desk called fornt', fix: 'Did you mean front?' };
  const account = defineConnection({
    title: 'Account',
    settings: z.object({ desk: z.string() }),
    open: () => undefined,
    check: ({ input }) => Promise.resolve(input['desk'] === 'front' ? [] : [fault]),
  });
  const store = await openTestStore();
  try {
    const connections = await connectionsProcess(store, [crmWith(account)]);
    const add = (desk: string) => connections.add({ name: 'main', connector: 'crm', settings: { desk } });

    await expect(add('fornt')).rejects.toMatchObject({ code: 'connection.invalid', faults: [fault] });
    expect(connections.list()).toEqual([]);
    await expect(add('front')).resolves.toMatchObject({ name: 'main' });
  } finally {
    await store.close();
  }
});
