import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '#catalog';
import { FlowsService, FlowsStore } from '#flows';
import { defineConnector, defineTrigger, z, type UseService } from '#sdk';
import type { Store } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { openTestStore } from '../../test/environment/postgres.js';
import webhook from '../../connectors/webhook/index.js';
import { ForgottenSources } from './forgotten-sources.js';
import { SourcesService } from './sources.service.js';
import { SourcesStore } from './sources.store.js';

const use: UseService = () => {
  throw new Error('No service is lent here');
};
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
    const catalog = new Catalog([bus, webhook]);
    const connections = {
      names: () => new Map([['out', 'webhook']]),
      nameFor: () => undefined,
      clientFor: () => Promise.resolve(undefined),
    } as never;
    flows = new FlowsService({
      folder,
      vocabulary: catalog,
      connections: () => new Map([['out', 'webhook']]),
      env: {},
      store: new FlowsStore(store.db),
      log: silentLog,
    });
    sources = new SourcesService({ catalog, connections, flows, log: silentLog });
    service = new ForgottenSources({
      catalog,
      flows,
      sources,
      store: new SourcesStore(store.db),
      connections,
      leases: {
        acquire: (name) =>
          Promise.resolve({ name, epoch: '1', signal: new AbortController().signal, release: () => Promise.resolve() }),
        close: () => Promise.resolve(),
      },
      log: silentLog,
      use,
      patience: { unwantedMs: 0, againMs: 0 },
    });
    await writeFile(join(folder, 'one.yaml'), flow('one', 'a'));
    await writeFile(join(folder, 'two.yaml'), flow('two', 'b'));
    await flows.reload();
    for (const source of sources.all()) await new SourcesStore(store.db).open(source);
  });
  afterEach(async () => {
    await flows.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

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
});
