import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PatchbayError } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { testVocabulary } from '../engine/testing/flow-runs.js';
import { FlowsService } from './flows.service.js';
import type { FlowsStore } from './flows.store.js';

const flowNamed = (name: string, step = 'told') =>
  `name: ${name}\ntrigger: { uses: test.heard }\nsteps: [{ id: ${step}, uses: test.notify }]\n`;

describe('flow files', () => {
  let folder: string;
  let flows: FlowsService;
  let isAway: boolean;
  let whilePausing: () => Promise<void>;
  let whileChecking: () => Promise<void>;

  beforeEach(async () => {
    [whilePausing, whileChecking] = [() => Promise.resolve(), () => Promise.resolve()];
    folder = await mkdtemp(join(tmpdir(), 'patchbay-flows-'));
    isAway = false;
    const store = {
      list: async () => {
        if (!isAway) return [];
        isAway = false;
        throw new PatchbayError('store.unavailable');
      },
      activate: () => Promise.resolve(),
      setPaused: () => whilePausing(),
    };
    flows = new FlowsService({
      folder,
      vocabulary: testVocabulary,
      connections: () => new Map(),
      env: {},
      store: store as unknown as FlowsStore,
      checker: { checkUses: () => whileChecking().then(() => ({ faults: [], warnings: [] })) },
      log: silentLog,
    });
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
});
