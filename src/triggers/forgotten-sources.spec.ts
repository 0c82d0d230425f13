import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '#catalog';
import { FlowsService, FlowsStore } from '#flows';
import { defineConnector, defineTrigger, z } from '#sdk';
import type { Store } from '#platform';
import { noService, silentLog } from '../../test/builders/action-call.js';
import { openTestStore } from '../../test/environment/postgres.js';
import webhook from '../../connectors/webhook/index.js';
import { ForgottenSources } from './forgotten-sources.js';
import { SourcesService } from './sources.service.js';
import { SourcesStore } from './sources.store.js';

const flow = (name: string, topic: string) => `
name: ${name}
trigger: { uses: bus.heard, with: { topic: ${topic} } }
steps: [{ uses: webhook.send, connection: out, with: { type: t.t, data: {} } }]
`;

describe('sources that no flow listens to', () => {
  let store: Store;
  let folder: string;
  let flows: FlowsService;
  let forgotten: string[];
  let whileForgetting: () => Promise<void>;
  let service: ForgottenSources;
  let sources: SourcesService;
  let catalog: Catalog;

  beforeEach(async () => {
    [store, folder] = await Promise.all([openTestStore(), mkdtemp(join(tmpdir(), 'patchbay-forget-'))]);
    forgotten = [];
    whileForgetting = () => Promise.resolve();
    const heard = defineTrigger({
      title: 'Heard',
      summary: 'Hears.',
      input: z.object({ topic: z.string() }),
      event: z.object({}),
      examples: [],
      listen: () => Promise.resolve(),
      forget: ({ input: { topic }, others }) => {
        forgotten.push(`${topic} beside ${others.map((other) => other.topic).join()}`);
        return whileForgetting();
      },
    });
    const bus = defineConnector({ name: 'bus', title: 'Bus', summary: 'A bus.', triggers: { heard }, actions: {} });
    catalog = new Catalog([bus, webhook]);
    ({ flows, sources, service } = aProcess(folder, { unwantedMs: 0, againMs: 0 }));
    await writeFile(join(folder, 'one.yaml'), flow('one', 'a'));
    await writeFile(join(folder, 'two.yaml'), flow('two', 'b'));
    await flows.reload();
    for (const source of sources.all()) await new SourcesStore(store.db).open(source);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await flows.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  function aProcess(itsFolder: string, patience: { readonly unwantedMs: number; readonly againMs: number }) {
    const connections = {
      names: () => new Map([['out', 'webhook']]),
      nameFor: () => undefined,
      clientFor: () => Promise.resolve(undefined),
    } as never;
    const itsFlows = new FlowsService({
      folder: itsFolder,
      vocabulary: catalog,
      connections: () => new Map([['out', 'webhook']]),
      env: {},
      store: new FlowsStore(store.db),
      log: silentLog,
    });
    const itsSources = new SourcesService({ catalog, connections, flows: itsFlows, log: silentLog });
    const itsService = new ForgottenSources({
      catalog,
      flows: itsFlows,
      sources: itsSources,
      store: new SourcesStore(store.db),
      connections,
      leases: {
        acquire: (name) =>
          Promise.resolve({ name, epoch: '1', signal: new AbortController().signal, release: () => Promise.resolve() }),
        isHeld: () => Promise.resolve(false),
        close: () => Promise.resolve(),
      },
      log: silentLog,
      use: noService,
      patience,
    });
    return { flows: itsFlows, sources: itsSources, service: itsService };
  }

  it('given a flow that is removed, when it is looked for, then its trigger forgets once, and knows who goes on', async () => {
    await service.look();
    expect(forgotten).toEqual([]);
    await flows.setPaused('two', true);
    await rm(join(folder, 'one.yaml'));
    await flows.reload();

    await service.look();
    await service.look();

    expect(forgotten).toEqual(['a beside b']);
  });

  it('given a flow that comes back while its trigger forgets, when that is done, then it keeps its place', async () => {
    await store.pool.query(`update trigger_source set cursor = '7'`);
    await rm(join(folder, 'one.yaml'));
    await flows.reload();
    whileForgetting = async () => {
      await writeFile(join(folder, 'one.yaml'), flow('one', 'a'));
      await flows.reload();
    };

    await service.look();

    expect(forgotten).toEqual(['a beside b']);
    const { rows } = await store.pool.query('select cursor, forgotten_at from trigger_source');
    expect(rows).toEqual([
      { cursor: '7', forgotten_at: null },
      { cursor: '7', forgotten_at: null },
    ]);
  });

  it('given a folder that cannot be read, when it is looked for, then nothing is forgotten', async () => {
    await rm(folder, { recursive: true });
    await flows.reload();

    await service.look();

    expect(forgotten).toEqual([]);
  });

  it('given processes with different files, when both look, then what either wants is not forgotten', async () => {
    const otherFolder = await mkdtemp(join(tmpdir(), 'patchbay-forget-'));
    await writeFile(join(otherFolder, 'two.yaml'), flow('two', 'b'));
    const patience = { unwantedMs: 600_000, againMs: 0 };
    const [one, other] = [aProcess(folder, patience), aProcess(otherFolder, patience)];
    await Promise.all([one.flows.reload(), other.flows.reload()]);
    const clock = jest.spyOn(Date, 'now');
    const timePasses = async () => {
      clock.mockReturnValue(Date.now() + 3_600_000);
      await store.pool.query(`update trigger_source set wanted_at = wanted_at - interval '1 hour'`);
    };

    await timePasses();
    await one.service.look();
    await other.service.look();
    await timePasses();
    await one.service.look();
    await other.service.look();
    expect(forgotten).toEqual([]);

    await timePasses();
    await other.service.look();
    await other.service.look();
    expect(forgotten).toEqual(['a beside b']);
    await Promise.all([one.flows.stop(), other.flows.stop()]);
    await rm(otherFolder, { recursive: true });
  });
});
