import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PatchbayError } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { testVocabulary } from '../engine/testing/flow-runs.js';
import type { FlowChecks } from './flow-checker.js';
import { FlowsService } from './flows.service.js';
import type { FlowsStore, StoredFlow } from './flows.store.js';

const flowNamed = (name: string, step = 'told') =>
  `name: ${name}\ntrigger: { uses: test.heard }\nsteps: [{ id: ${step}, uses: test.notify }]\n`;

describe('flow files', () => {
  let folder: string;
  let flows: FlowsService;
  let isAway: boolean;
  let rows: StoredFlow[];
  /** Holds back an answer of the store that it has given already. */
  let beforeRowsArrive: () => Promise<void>;
  let whilePausing: () => Promise<void>;
  let whileChecking: () => Promise<void>;
  let checks: FlowChecks;
  /** Another process on the same folder and the same store. */
  let restarted: () => FlowsService;

  beforeEach(async () => {
    [whilePausing, whileChecking] = [() => Promise.resolve(), () => Promise.resolve()];
    checks = { faults: [], warnings: [] };
    folder = await mkdtemp(join(tmpdir(), 'patchbay-flows-'));
    isAway = false;
    rows = [];
    beforeRowsArrive = () => Promise.resolve();
    const documents = new Map<string, string>();
    const store: Pick<FlowsStore, 'list' | 'activate' | 'document' | 'setPaused'> = {
      list: async () => {
        if (isAway) {
          isAway = false;
          throw new PatchbayError('store.unavailable');
        }
        const answer = rows;
        await beforeRowsArrive();
        return answer;
      },
      activate: ({ name, version, document, file }) => {
        documents.set(version, document);
        const isPaused = rows.some((row) => row.name === name && row.isPaused);
        rows = [...rows.filter((row) => row.name !== name), { name, version, file, isPaused }];
        return Promise.resolve();
      },
      document: (version) => Promise.resolve(documents.get(version)),
      setPaused: async (name, isPaused) => {
        rows = rows.map((row) => (row.name === name ? { ...row, isPaused } : row));
        await whilePausing();
      },
    };
    restarted = () =>
      new FlowsService({
        folder,
        vocabulary: testVocabulary,
        connections: () => new Map(),
        env: {},
        store: store as FlowsStore,
        checker: { checkUses: () => whileChecking().then(() => checks) },
        askAgainMs: 50,
        log: silentLog,
      });
    flows = restarted();
  });

  afterEach(async () => {
    await flows.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('given a store that is away when they are read, then they are read once it is back', async () => {
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    isAway = true;
    await flows.start();
    await eventually(() => flows.isLoaded);

    expect(flows.list().map(({ name }) => name)).toEqual(['a']);
  });

  it('given a file that is written while the hub reads the others for the first time, then it is read too', async () => {
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    whileChecking = () => {
      whileChecking = () => Promise.resolve();
      return writeFile(join(folder, 'b.yaml'), flowNamed('b'));
    };

    await flows.start();

    await eventually(() => flows.find('b'));
  });

  it('given a file that cannot be read, then the others are, it is told of, and no flow counts as gone until it can', async () => {
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    await symlink(join(folder, 'nowhere'), join(folder, 'b.yaml'));

    await flows.start();

    expect(flows.list().map(({ name }) => name)).toEqual(['a']);
    expect(flows.broken()).toEqual([
      { file: 'b.yaml', faults: [expect.objectContaining({ rule: 'unreadable', file: 'b.yaml' })] },
    ]);
    expect(flows.isLoaded).toBe(false);
    await writeFile(join(folder, 'nowhere'), flowNamed('b'));
    await eventually(() => flows.isLoaded && flows.find('b'));
    expect(flows.list().map(({ name }) => name)).toEqual(['a', 'b']);
    expect(flows.broken()).toEqual([]);
  });

  it('given a file that can no longer be read, then what it held runs on, and says so, also after a restart', async () => {
    const file = join(folder, 'a.yaml');
    await writeFile(file, flowNamed('a'));
    await flows.start();
    const versionBefore = flows.get('a').compiled.flow.version;
    await rm(file);
    await symlink(join(folder, 'nowhere'), file);
    await flows.reload();
    const after = restarted();
    await after.start();

    for (const known of [flows.get('a'), after.get('a')]) {
      expect(known.compiled.flow.version).toBe(versionBefore);
      expect(known.faults).toEqual([expect.objectContaining({ rule: 'unreadable' })]);
    }
    await after.stop();
  });

  it('given a folder that comes later, or in the place of another, then its files are read, and what changes in it', async () => {
    await rm(folder, { recursive: true });
    await flows.start();
    expect(flows.isLoaded).toBe(false);

    await mkdir(folder);
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    await eventually(() => flows.isLoaded && flows.find('a'));

    await mkdir(`${folder}-next`);
    await writeFile(join(`${folder}-next`, 'b.yaml'), flowNamed('b'));
    await rm(folder, { recursive: true });
    await rename(`${folder}-next`, folder);
    await eventually(() => flows.find('b') !== undefined && flows.find('a') === undefined);
    await writeFile(join(folder, 'c.yaml'), flowNamed('c'));
    await eventually(() => flows.find('c') !== undefined);
  });

  it('given a file that is renamed, when it has faults after a restart, then its flow is still known by it', async () => {
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    await flows.start();
    await rename(join(folder, 'a.yaml'), join(folder, 'renamed.yaml'));
    await flows.reload();
    await writeFile(join(folder, 'renamed.yaml'), 'name: a\ntrigger: { uses: test.heard }\n');
    const after = restarted();

    await after.start();

    expect(after.get('a')).toMatchObject({
      file: 'renamed.yaml',
      faults: [expect.objectContaining({ file: 'renamed.yaml' })],
    });
    await after.stop();
  });

  it('given another side that is silent when a flow is loaded, when it answers later, then what it says is told, and the flow runs', async () => {
    const fault = {
      pointer: '#/steps/0',
      file: 'a.yaml',
      line: 3,
      column: 8,
      rule: 'not-checked',
      detail: 'Nobody is there.',
    };
    checks = { faults: [], warnings: [{ ...fault, severity: 'warning' }] };
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    await flows.start();
    expect(flows.get('a').warnings).toMatchObject([{ rule: 'not-checked' }]);

    const said = { ...fault, rule: 'not-there', detail: 'There is no such field.' };
    checks = { faults: [said], warnings: [] };

    await eventually(() => flows.get('a').warnings[0]?.rule === 'not-there');
    expect(flows.get('a')).toMatchObject({ faults: [], warnings: [{ ...said, severity: 'warning' }] });
    expect(flows.running().map(({ name }) => name)).toEqual(['a']);
  });

  it('given a flow that is changed while it is paused, when that is kept, then its new version is the one that is paused', async () => {
    const file = join(folder, 'a.yaml');
    await writeFile(file, flowNamed('a', 'before'));
    await flows.start();
    whilePausing = async () => {
      await writeFile(file, flowNamed('a', 'after'));
      await flows.reload();
    };

    await flows.setPaused('a', true);

    const { isPaused, compiled } = flows.get('a');
    expect(isPaused).toBe(true);
    expect(compiled.flow.steps.map(({ id }) => id)).toEqual(['after']);
  });

  it('given files that are being read, when a flow is paused meanwhile, then it stays paused', async () => {
    const file = join(folder, 'a.yaml');
    await writeFile(file, flowNamed('a', 'before'));
    await flows.reload();
    const [checking, hold] = gate();
    whileChecking = hold;
    await writeFile(file, flowNamed('a', 'after'));
    const reading = flows.reload();
    await checking;

    await flows.setPaused('a', true);
    const seen = runningFrom(flows);
    hold.open();
    await reading;

    expect(flows.get('a').compiled.flow.steps.map(({ id }) => id)).toEqual(['after']);
    expect(seen).toEqual([[]]);
    expect(flows.get('a').isPaused).toBe(true);
  });

  it('given a look at what is paused, when its answer is older than a pause, then the flow stays paused', async () => {
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    await flows.start();
    const [arrived, hold] = gate();
    beforeRowsArrive = hold;
    await arrived;
    const [next, holdNext] = gate();
    beforeRowsArrive = holdNext;

    await flows.setPaused('a', true);
    const seen = runningFrom(flows);
    hold.open();
    await next;
    holdNext.open();

    expect(seen).toEqual([]);
    expect(flows.get('a').isPaused).toBe(true);
  });

  it('given a flow that another process pauses, then it is paused here too', async () => {
    await writeFile(join(folder, 'a.yaml'), flowNamed('a'));
    await flows.start();
    const seen = runningFrom(flows);

    rows = rows.map((row) => ({ ...row, isPaused: true }));

    await eventually(() => flows.get('a').isPaused);
    expect(seen).toEqual([[]]);
  });

  it('given a flow whose file is removed while it is paused, then it is gone', async () => {
    const file = join(folder, 'a.yaml');
    await writeFile(file, flowNamed('a'));
    await flows.reload();
    whilePausing = async () => {
      await rm(file);
      await flows.reload();
    };

    await expect(flows.setPaused('a', true)).resolves.toMatchObject({ name: 'a', isPaused: true });

    expect(flows.find('a')).toBeUndefined();
  });
});

/** The names of those that run, whenever a change of the flows is told. */
function runningFrom(flows: FlowsService): string[][] {
  const seen: string[][] = [];
  flows.onChange(() => seen.push(flows.running().map(({ name }) => name)));
  return seen;
}

/** @returns when somebody has come to it, and the gate, which holds back whoever comes until it is opened */
function gate(): [reached: Promise<void>, hold: (() => Promise<void>) & { open: () => void }] {
  let [reach, open] = [(): void => undefined, (): void => undefined];
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  const hold = (): Promise<void> => {
    reach();
    return opened;
  };
  return [reached, Object.assign(hold, { open })];
}
