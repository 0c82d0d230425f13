import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog } from '#catalog';
import { FlowsService, FlowsStore } from '#flows';
import { Metrics, type Store } from '#platform';
import { IntakeService, IntakeStore, ReversalsStore, RunsQueries, type RunsService } from '#runs';
import { defineConnector, defineTrigger, z, type ListenContext } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { valueConnector } from '../engine/testing/flow-runs.js';
import { ReplaysService } from './replays.service.js';
import { SourcesService } from './sources.service.js';
import { SourcesStore } from './sources.store.js';
import { TriggerHostService, type TriggerHostParts } from './trigger-host.service.js';

type Listening = ListenContext<unknown, unknown, { readonly amount: number }>;

describe('a flow that begins to move value', () => {
  let store: Store;
  let folder: string;
  let flows: FlowsService;
  let sources: SourcesService;
  let host: TriggerHostService;
  /** Whoever listens at the moment. */
  let listening: Listening | undefined;

  beforeEach(async () => {
    [store, folder] = await Promise.all([openTestStore(), mkdtemp(join(tmpdir(), 'patchbay-host-'))]);
    const mined = defineTrigger({
      title: 'Mined',
      summary: 'Hears what the spec tells.',
      input: z.object({ confirmations: z.number().optional() }),
      event: z.object({ amount: z.number() }),
      examples: [{}],
      finality: { input: 'confirmations', shortfall: () => undefined },
      listen: async (context) => {
        listening = context;
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        listening = undefined;
      },
    });
    const chain = defineConnector({ ...valueConnector, triggers: { mined } });
    const catalog = new Catalog([chain]);
    flows = new FlowsService({
      folder,
      vocabulary: catalog,
      connections: () => new Map(),
      env: {},
      store: new FlowsStore(store.db),
      log: silentLog,
    });
    const connections = {
      onReopened: () => undefined,
      using: (_asked: unknown, use: (client: undefined) => Promise<void>) => use(undefined),
    } as never;
    const lease = { epoch: '1', signal: new AbortController().signal, release: () => Promise.resolve() };
    sources = new SourcesService({ catalog, connections, flows, log: silentLog });
    const intake = new IntakeService({
      store: new IntakeStore(store.pool),
      env: {},
      metrics: new Metrics(),
      here: { claimsFor: () => ({ instance: null, runs: new Map() }), begin: () => undefined } as never,
      wake: () => undefined,
    });
    host = new TriggerHostService({
      sources,
      store: new SourcesStore(store.db),
      connections,
      intake,
      reversals: new ReversalsStore(store.pool),
      queue: { wakeAgain: () => undefined } as never,
      leases: { acquire: () => Promise.resolve(lease) } as never,
      log: silentLog,
      use: () => {
        throw new Error('Nothing is used here');
      },
    });
    host.start();
    await write('value.reply');
    await eventually(() => listening !== undefined);
    await listening?.emit({ id: 'a', event: { amount: 1 }, position: '005:0', place: '0x5' }, { cursor: '006' });
  });

  afterEach(async () => {
    await host.stop();
    await flows.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function write(does: string): Promise<void> {
    const text = `name: edited\ntrigger: { uses: value.mined }\nsteps: [{ uses: ${does} }]\n`;
    await writeFile(join(folder, 'edited.yaml'), text);
    await flows.reload();
  }

  async function beginToMoveValue(): Promise<Listening> {
    await write('value.pay');
    await eventually(() => listening?.movesValue === true);
    return listening!;
  }

  async function runs(): Promise<readonly unknown[]> {
    const { rows } = await store.pool.query('select kind, state from run order by seq');
    return rows;
  }

  it('given an event from before that is heard again, then it starts no second run', async () => {
    const now = await beginToMoveValue();
    expect(now.cursor).toBe('006');
    await now.emit({ id: 'a', event: { amount: 1 }, position: '007:0', place: '0x7' }, { cursor: '008' });

    expect(await runs()).toHaveLength(1);
  });

  it('given an event from before that the chain takes back, then its run never begins', async () => {
    const now = await beginToMoveValue();
    await now.retract({ from: '005', cursor: '005', finalAt: '009' });
    await now.emit([], { cursor: '010' });

    expect(await runs()).toEqual([{ kind: 'event', state: 'cancelled' }]);
  });

  it('given an event from before, when the flow is replayed, then it is among the events', async () => {
    await beginToMoveValue();
    const queries = new RunsQueries(store.db);
    const asked: number[] = [];
    const replayed = {
      replayEvents: ({ events }: { events: readonly unknown[] }) => {
        asked.push(events.length);
        return Promise.resolve({ events: events.length, ignored: 0, runs: [], calls: {} });
      },
    } as unknown as RunsService;

    await new ReplaysService({ flows, sources, queries, runs: replayed }).replay({ flow: 'edited', isDryRun: true });

    expect(asked).toEqual([1]);
  });
});

describe('arranging listeners', () => {
  it('given a lease that is waited for, when a flow is added meanwhile, then its turn comes right after that', async () => {
    const trigger = { listen: () => Promise.resolve() };
    const sources = [{ id: 'first', trigger }];
    const asked: string[] = [];
    let change = (): void => undefined;
    let answer = (): void => undefined;
    const parts = {
      sources: { all: () => sources, onChange: (listener: () => void) => (change = listener) },
      connections: { onReopened: () => undefined },
      leases: {
        // Another process has them all, and the first answer takes its time.
        acquire: (name: string) =>
          new Promise<void>((resolve) => {
            if (asked.push(name) === 1) answer = resolve;
            else resolve();
          }),
      },
      log: silentLog,
    };
    // Nothing else is needed to arrange what cannot be had.
    const host = new TriggerHostService(parts as unknown as TriggerHostParts);
    host.start();

    sources.push({ id: 'second', trigger });
    change();
    expect(asked).toEqual(['source first']);
    answer();
    await new Promise(setImmediate);

    expect(asked).toEqual(['source first', 'source first', 'source second']);
    await host.stop();
  });

  it('given that somebody takes back what such triggers made, when a flow comes, then it listens once that is over', async () => {
    let isListening = false;
    const source = {
      id: 'topic',
      uses: 'bus.heard',
      connection: 'org',
      flows: [],
      trigger: { listen: async () => void (isListening = true), forget: () => Promise.resolve() },
    };
    const asked: string[] = [];
    let answer = (_: boolean): void => undefined;
    const parts = {
      sources: { all: () => [source], find: () => source, onChange: () => undefined },
      store: { open: () => Promise.resolve(undefined) },
      connections: { onReopened: () => undefined, using: (_: unknown, work: () => Promise<void>) => work() },
      reversals: { hasRemoved: () => Promise.resolve(false) },
      leases: {
        acquire: () => Promise.resolve({ signal: new AbortController().signal, release: () => Promise.resolve() }),
        isHeld: (name: string) =>
          new Promise((resolve) => {
            asked.push(name);
            answer = resolve;
          }),
      },
      log: silentLog,
    };
    const host = new TriggerHostService(parts as unknown as TriggerHostParts);
    host.start();

    await eventually(() => asked.length === 1);
    answer(true);
    await eventually(() => asked.length === 2);
    expect(isListening).toBe(false);
    answer(false);
    await eventually(() => isListening);
    expect(asked[0]).toBe('forget bus.heard org');
    await host.stop();
  });

  it('given an end that is waited for, when a flow leaves meanwhile, then it hears nothing until it is back', async () => {
    const begun: Listening[] = [];
    const itsFlow = { flow: { name: 'its flow' } };
    let end = (_: unknown): void => undefined;
    const listened = {
      id: 'listened',
      connection: 'listened',
      flows: [itsFlow],
      trigger: {
        listen: (context: Listening) => {
          begun.push(context);
          return new Promise((_, reject) => {
            end = reject;
            context.signal.addEventListener('abort', reject);
          });
        },
      },
    };
    const opening = { id: 'opening', connection: 'opening', flows: [], trigger: { listen: () => Promise.resolve() } };
    let all: readonly { readonly id: string }[] = [opening, listened];
    let change = (): void => undefined;
    let isAsked = false;
    let open = (): void => undefined;
    const accepted: unknown[] = [];
    const failed: unknown[] = [];
    const parts = {
      sources: {
        all: () => all,
        find: (id: string) => all.find((source) => source.id === id),
        onChange: (listener: () => void) => (change = listener),
      },
      store: { open: () => Promise.resolve(undefined), fail: async (id: string) => void failed.push(id) },
      connections: {
        onReopened: () => undefined,
        using: async ({ asked }: { asked: string }, work: (client: unknown) => Promise<void>) => {
          isAsked ||= asked === 'opening';
          if (asked === 'opening') await new Promise<void>((resolve) => (open = resolve));
          await work(undefined);
        },
      },
      intake: { accept: async (intake: unknown) => void accepted.push(intake) },
      reversals: { hasRemoved: () => Promise.resolve(false) },
      leases: {
        acquire: (name: string) => {
          const lease = { name, epoch: '1', signal: new AbortController().signal, release: () => Promise.resolve() };
          return Promise.resolve(lease);
        },
      },
      log: silentLog,
    };
    const host = new TriggerHostService(parts as unknown as TriggerHostParts);
    host.start();
    await eventually(() => isAsked && begun.length === 1);

    all = [listened];
    change();
    all = [];
    change();
    const heard = { id: 'a', event: { amount: 1 } };
    const refused = begun[0]!.emit(heard);
    await expect(refused).rejects.toMatchObject({ code: 'step.cancelled' });
    await refused.catch(end);
    await new Promise(setImmediate);
    expect({ accepted, failed }).toEqual({ accepted: [], failed: [] });

    all = [listened];
    change();
    open();
    await eventually(() => begun.length === 2);
    await begun[1]!.emit(heard);
    expect(accepted).toMatchObject([{ flows: [itsFlow], cursor: { place: 'a' } }]);
    await host.stop();
  });

  it.each([
    ['of a connection', 'shared'],
    ['without a connection', undefined],
  ])(
    'given a listener %s that takes long to end, then only what its flow hears next waits for it',
    async (_, shared) => {
      const begun: string[] = [];
      let end = (): void => undefined;
      const source = (id: string, flow: string, connection = shared) => ({
        ...{ id, connection, flows: [{ flow: { name: flow } }] },
        trigger: {
          listen: ({ signal }: Listening) => {
            begun.push(id);
            return new Promise<void>((resolve) => {
              if (id === 'slow') end = resolve;
              else signal.addEventListener('abort', () => resolve());
            });
          },
        },
      });
      let all = [source('slow', 'edited'), source('steady', 'steady')];
      let change = (): void => undefined;
      const released: string[] = [];
      const parts = {
        sources: {
          all: () => all,
          find: (id: string) => all.find((one) => one.id === id),
          onChange: (listener: () => void) => (change = listener),
        },
        store: { open: () => Promise.resolve(undefined) },
        connections: { onReopened: () => undefined, using: (_asked: unknown, work: () => Promise<void>) => work() },
        reversals: { hasRemoved: () => Promise.resolve(false) },
        leases: {
          acquire: (name: string) => {
            const release = async () => void released.push(name);
            return Promise.resolve({ name, epoch: '1', signal: new AbortController().signal, release });
          },
        },
        log: silentLog,
      };
      const host = new TriggerHostService(parts as unknown as TriggerHostParts);
      host.start();
      await eventually(() => begun.length === 2);

      all = [
        source('next', 'edited'),
        source('steady', 'steady'),
        source('beside', 'beside'),
        source('elsewhere', 'elsewhere', 'other'),
      ];
      change();
      await eventually(() => begun.includes('beside') && begun.includes('elsewhere'));
      all = [source('last', 'edited'), ...all.slice(1), source('later', 'later')];
      change();
      await eventually(() => begun.includes('later'));
      expect(begun).not.toContain('last');

      end();
      await eventually(() => begun.includes('last'));
      expect(begun).not.toContain('next');
      expect(begun.filter((id) => id === 'steady')).toHaveLength(1);
      await host.stop();
      expect(new Set(released).size).toBe(released.length);
    },
  );
});
