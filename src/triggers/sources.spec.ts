import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '#catalog';
import { FlowsService, FlowsStore } from '#flows';
import type { Store } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { locksOutOfOrder } from '../../test/builders/crossing.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { testConnector, valueConnector } from '../engine/testing/flow-runs.js';
import { SourcesService } from './sources.service.js';
import { SourcesStore } from './sources.store.js';

describe('sources of flows that move value', () => {
  let store: Store;
  let folder: string;
  let flows: FlowsService;
  let sources: SourcesService;
  let places: SourcesStore;

  beforeEach(async () => {
    [store, folder] = await Promise.all([openTestStore(), mkdtemp(join(tmpdir(), 'patchbay-sources-'))]);
    const catalog = new Catalog([testConnector, valueConnector]);
    const connections = { names: () => new Map(), nameFor: () => undefined } as never;
    flows = new FlowsService({
      folder,
      vocabulary: catalog,
      connections: () => new Map(),
      env: {},
      store: new FlowsStore(store.db),
      log: silentLog,
    });
    sources = new SourcesService({ catalog, connections, flows, log: silentLog });
    places = new SourcesStore(store.db);
  });
  afterEach(async () => {
    await flows.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function write(name: string, does: string, inputs = '{}'): Promise<void> {
    const text = `name: ${name}\ntrigger: { uses: value.mined, with: ${inputs} }\nsteps: [{ uses: ${does} }]\n`;
    await writeFile(join(folder, `${name}.yaml`), text);
    await flows.reload();
  }

  /** As the listeners do. */
  function open(name: string): Promise<string | undefined> {
    const source = sources.of(name);
    const { twin } = source;
    return places.open(source, twin === undefined ? undefined : { id: twin, isLeft: !sources.isNeeded(twin) });
  }

  async function moveTo(name: string, cursor: string): Promise<void> {
    const { id } = sources.of(name);
    await store.db.updateTable('trigger_source').set({ cursor }).where('id', '=', id).execute();
  }

  it('given flows with one trigger, when some move value and nothing says how long to wait, then only those wait', async () => {
    await write('told', 'test.notify');
    await write('paid', 'value.pay');
    await write('answered', 'value.reply');

    expect(sources.of('paid')).toMatchObject({ movesValue: true, twin: sources.of('told').id });
    expect(sources.of('told')).toMatchObject({ movesValue: false, twin: sources.of('paid').id });
    expect(sources.of('answered').id).toBe(sources.of('told').id);
  });

  it('given sources that others change too, when several are changed, then they are locked in the order of their ids', async () => {
    await write('told', 'test.notify');
    await write('paid', 'value.pay');
    for (const name of ['told', 'paid']) await open(name);
    const [first, other] = ['told', 'paid'].map((name) => sources.of(name).id).sort() as [string, string];
    const lock = (id: string): string => `select from trigger_source where id = '${id}' for update`;
    const rows = { first: lock(first), other: lock(other) };
    const nameOf = (id: string): string => (sources.of('told').id === id ? 'told' : 'paid');
    // As if they had been opened the other way round, and long ago.
    await store.pool.query('delete from trigger_source where id = $1', [first]);
    await store.pool.query(
      `insert into trigger_source (id, uses, input, wanted_at) values ($1, '', '{}', now() - interval '1 hour')`,
      [first],
    );
    await store.pool.query(`update trigger_source set wanted_at = now() - interval '1 hour'`);
    await moveTo(nameOf(other), '100');

    const wanted = await locksOutOfOrder(store, rows, () => places.want([other, first], 4));
    const opened = await locksOutOfOrder(store, rows, () =>
      places.open(sources.of(nameOf(first)), { id: other, isLeft: false }),
    );

    expect([wanted, opened]).toEqual([false, false]);
  });

  it('given flows that say how long to wait, when some move value, then they share a source', async () => {
    await write('told', 'test.notify', '{ confirmations: 3 }');
    await write('paid', 'value.pay', '{ confirmations: 3 }');

    expect(sources.of('paid').id).toBe(sources.of('told').id);
    expect(sources.of('paid')).toMatchObject({ movesValue: false, twin: undefined });
  });

  it('given a flow that begins to move value, when it is listened for, then it goes on where it was, and back again', async () => {
    await write('edited', 'test.notify');
    expect(await open('edited')).toBeUndefined();
    await moveTo('edited', '000000000100');

    await write('edited', 'value.pay');
    expect(await open('edited')).toBe('000000000100');
    await moveTo('edited', '000000000500');

    await write('edited', 'test.notify');
    expect(await open('edited')).toBe('000000000500');
  });

  it('given a flow that stays, when another one begins to move value, then each keeps its place', async () => {
    await write('told', 'test.notify');
    await write('edited', 'test.notify');
    await open('told');
    await moveTo('told', '000000000100');

    await write('edited', 'value.pay');
    expect(await open('edited')).toBe('000000000100');
    await moveTo('told', '000000000200');
    await moveTo('edited', '000000000150');

    expect(await open('edited')).toBe('000000000150');
    expect(await open('told')).toBe('000000000200');
  });
});
