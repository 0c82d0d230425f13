import { describe, expect, it } from '@jest/globals';
import { defineConnection, z } from '#sdk';
import { aHttpClient, noService, silentLog } from '../../test/builders/action-call.js';
import { catalogOf } from '../../test/builders/catalog-of.js';
import { crmWith } from '../../test/builders/connections-process.js';
import { ConnectionsService, type ConnectionsParts } from './connections.service.js';

type Declared = ConnectionsParts['declared'][number];

const account = defineConnection({ title: 'Account', settings: z.object({}), open: () => ({}) });
const crm = crmWith(account);
const inFile = (name: string, isDefault = false): Declared => ({
  name,
  connector: 'crm',
  section: undefined,
  isDefault,
  settings: {},
});

/** A hub whose file declares some connections, and to which others were added. */
async function aHub(declared: readonly Declared[], added: readonly string[]): Promise<ConnectionsService> {
  const stored = added.map((name) => ({ name, connector: 'crm', settings: {}, version: '1' }));
  const connections = new ConnectionsService({
    catalog: catalogOf([crm]),
    declared,
    store: { list: () => Promise.resolve(stored) } as never,
    troubles: { onOver: () => undefined, refresh: () => Promise.resolve(), of: () => undefined } as never,
    http: aHttpClient(),
    log: silentLog,
    use: noService,
  });
  await connections.load();
  return connections;
}

describe('the default connection of a connector', () => {
  it.each([
    ['the only one there is', [], ['main'], 'main'],
    ['the one that is marked', [inFile('one'), inFile('two', true)], ['third'], 'two'],
    ['the only one of the file, whatever is added to the hub', [inFile('main')], ['another'], 'main'],
    ['none of several in the file', [inFile('one'), inFile('two')], [], undefined],
    ['none of several that were added', [], ['one', 'two'], undefined],
  ])('given connections, when a flow names none, then it is %s', async (_which, declared, added, expected) => {
    expect((await aHub(declared, added)).nameFor('crm', undefined)).toBe(expected);
  });

  it('given a default by its place in the file, when connections are listed, then it is told', async () => {
    const listed = (await aHub([inFile('main')], ['another'])).list();
    expect(listed.map(({ name, isDefault }) => ({ name, isDefault }))).toEqual([
      { name: 'main', isDefault: true },
      { name: 'another', isDefault: false },
    ]);
  });
});
