import { expect, it } from '@jest/globals';
import { defineConnection, z } from '#sdk';
import { connectionsProcess, crmWith } from '../../test/builders/connections-process.js';
import { openTestStore } from '../../test/environment/postgres.js';

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
