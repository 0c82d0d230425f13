import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { anEvent, aRunOf } from '../../test/builders/stored-runs.js';
import { aFlow } from '../engine/testing/flow-runs.js';
import { IntakeService } from './intake.service.js';
import type { IntakeStore, RunRow, Storing } from './intake.store.js';
import { RunsHere } from './runs-here.js';
import type { ClaimedRun } from './runs.store.js';

const places = 100;

function aStage({ isStopping = false } = {}): { here: RunsHere; performed: string[]; endAll: () => void } {
  const here = new RunsHere(silentLog);
  const performed: string[] = [];
  let ends: (() => void)[] = [];
  const work = (ids: readonly string[]): Promise<void> => {
    performed.push(...ids);
    return new Promise((resolve) => ends.push(resolve));
  };
  here.start(() => '7', {
    isStopping,
    takesNew: (flow) => flow !== 'limited',
    perform: (run) => work([run.id]),
    execute: (job) => work(job.runs),
  });
  const endAll = (): void => {
    for (const end of ends) end();
    ends = [];
  };
  return { here, performed, endAll };
}

const rows = (count: number, overrides: Partial<RunRow> = {}): RunRow[] =>
  Array.from({ length: count }, (_, i) => aRunOf(anEvent(`${overrides.flow ?? ''}${i}`), overrides));

const stored = (runs: readonly RunRow[]): ClaimedRun[] =>
  runs.map(({ id, flow, version }) => ({
    ...{ id, flow, version, kind: 'event', parent_id: null, claim: 1, is_journaled: false },
    created_at: new Date(),
    event: {},
  }));

describe('runs that are taken up where they begin', () => {
  it('given a process that executes nothing, then it claims nothing and takes up nothing', () => {
    const here = new RunsHere(silentLog);

    expect(here.claimsFor(rows(1)).runs.size).toBe(0);
    expect(here.takeUp({ flow: 'test-flow', runs: ['a'] })).toBe(false);
  });

  it('given a process that stops, then it claims nothing, and what is ready is left to the queue', () => {
    const { here, performed } = aStage({ isStopping: true });

    expect(here.claimsFor(rows(1)).runs.size).toBe(0);
    expect(here.takeUp({ flow: 'test-flow', runs: ['a'] })).toBe(false);
    expect(performed).toEqual([]);
  });

  it('given runs in a lane, of a flow with a limit, or refused, then none of them is claimed as it is stored', () => {
    const { here } = aStage();
    const unfit = [
      ...rows(1, { ordering_key: 'lane' }),
      ...rows(1, { flow: 'limited' }),
      ...rows(1, { flow: 'refused', state: 'failed' }),
    ];

    expect(here.claimsFor([...unfit, ...rows(1)])).toMatchObject({ instance: '7', runs: { size: 1 } });
  });

  it('given a flow with a limit, when runs of it are ready, then the queue has them', () => {
    const { here, performed } = aStage();

    expect(here.takeUp({ flow: 'limited', runs: ['a'] })).toBe(false);
    expect(performed).toEqual([]);
  });

  it('given a flow that hangs, when its places are taken, then it gets no more and other flows get theirs', async () => {
    const { here, performed, endAll } = aStage();
    const many = rows(places + 1);

    const claims = here.claimsFor(many);
    here.begin(claims, stored(many.slice(0, places)));

    expect([claims.runs.size, performed.length]).toEqual([places, places]);
    expect(here.takeUp({ flow: 'test-flow', runs: ['one more'] })).toBe(false);
    expect(here.claimsFor(rows(1, { flow: 'other' })).runs.size).toBe(1);
    endAll();
    await eventually(() => here.takeUp({ flow: 'test-flow', runs: ['one more'] }), { what: 'a place' });
  });

  it('given claimed runs beside one in a lane, when the store is slow to say who is at its head, then they have begun', async () => {
    const { here, performed } = aStage();
    const store = {
      store: (storing: Storing) =>
        Promise.resolve({ created: new Set<string>(), ready: [], inLanes: ['lane'], claimed: stored(storing.runs) }),
      headsAmong: () => new Promise<never>(() => undefined),
    };
    const parts = { env: {}, metrics: createMetrics(), here, wake: () => undefined };
    const intake = new IntakeService({ ...parts, store: store as unknown as IntakeStore });

    void intake.accept({
      source: 'test.heard/source',
      uses: 'test.heard',
      heard: [{ id: 'a', event: {} }],
      flows: [aFlow('steps: [{ uses: test.notify }]')],
    });

    await eventually(() => performed.length === 1, { what: 'a run that has begun' });
  });

  it('given runs that were there before or could not be stored, then their places are free again', () => {
    const { here, performed } = aStage();

    here.begin(here.claimsFor(rows(places)), []);

    expect(performed).toEqual([]);
    expect(here.claimsFor(rows(places)).runs.size).toBe(places);
  });
});
