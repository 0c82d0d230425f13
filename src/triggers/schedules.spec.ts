import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { JobHandler } from '#platform';
import { PatchbayError } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { SchedulesService, type SchedulesParts } from './schedules.service.js';

const tick = { source: 'clock.tick/daily', flow: 'daily' };

describe('schedules', () => {
  let service: SchedulesService;
  /** Faults of the queue and of the store, one for each attempt. */
  let faults: PatchbayError[];
  let scheduled: string[];
  let heard: string[];
  let unscheduled: string[];
  /** Whether the flow files were read. */
  let areKnown: boolean;
  let cron: string;
  let isRunning: boolean;
  /** Says that the flow files were read again. */
  let change: () => void;
  let takeAway: () => Promise<void>;
  let handle: JobHandler<typeof tick>;

  beforeEach(() => {
    [faults, scheduled, heard, unscheduled, areKnown] = [[], [], [], [], true];
    [cron, isRunning, takeAway] = ['0 9 * * *', true, () => Promise.resolve()];
    const fail = (): void => {
      const fault = faults.shift();
      if (fault) throw fault;
    };
    const source = {
      ...{ uses: 'clock.tick', input: {}, flows: [{ flow: { name: 'daily' } }] },
      get id() {
        return cron === '0 9 * * *' ? tick.source : `clock.tick/${cron}`;
      },
      trigger: { schedule: () => ({ cron }) },
    };
    const parts = {
      sources: {
        all: () => (areKnown && isRunning ? [source] : []),
        find: (id: string) => (areKnown && isRunning && id === source.id ? source : undefined),
        areKnown: () => areKnown,
        onChange: (listener: () => void) => (change = listener),
      },
      queues: {
        worker: (_name: string, handler: JobHandler<typeof tick>) => (handle = handler),
        schedule: async (_queue: string, id: string, { pattern }: { readonly pattern: string }) => {
          fail();
          scheduled.push(`${id} ${pattern}`);
        },
        unschedule: async (_queue: string, id: string) => {
          unscheduled.push(id);
          await takeAway();
        },
      },
      intake: {
        accept: async (intake: { readonly heard: readonly { readonly id: string }[] }) => {
          fail();
          heard.push(...intake.heard.map(({ id }) => id));
        },
      },
      log: silentLog,
    };
    service = new SchedulesService(parts as unknown as SchedulesParts);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await service.stop();
  });

  it('given a queue that is away when they are set up, then they are set up once it is back', async () => {
    faults = [new PatchbayError('hub.busy')];
    service.start();
    await eventually(() => scheduled.length > 0);

    expect(scheduled).toEqual(['daily 0 9 * * *']);
  });

  it('given a store that is away when one is due, then what was due is kept once it is back', async () => {
    service.start();
    await eventually(() => scheduled.length > 0);
    faults = [new PatchbayError('store.unavailable')];
    const at = Date.parse('2026-01-05T09:00:00.000Z');
    await handle({ name: 'daily', data: tick, id: `repeat:daily:${at}` });

    expect(heard).toEqual(['2026-01-05T09:00:00.000Z']);
  });

  it('given flow files that could not be read yet when one is due, then what was due is kept once they are', async () => {
    areKnown = false;
    service.start();
    const at = Date.parse('2026-01-05T09:00:00.000Z');
    const handled = handle({ name: 'daily', data: tick, id: `repeat:daily:${at}` });
    setTimeout(() => (areKnown = true), 50);
    await handled;

    expect(heard).toEqual(['2026-01-05T09:00:00.000Z']);
    expect(unscheduled).toEqual([]);
  });

  it('given a flow that is gone, when it would be due, then it is due no more', async () => {
    service.start();
    await handle({ name: 'gone', data: { source: 'clock.tick/gone', flow: 'gone' }, id: 'repeat:gone:1' });

    expect(heard).toEqual([]);
    expect(unscheduled).toEqual(['gone']);
  });

  it('given a flow that was edited, when what was due before is handed on late, then it goes on by its new schedule', async () => {
    service.start();
    await eventually(() => scheduled.length > 0);
    cron = '0 10 * * *';
    change();
    await eventually(() => scheduled.length > 1);
    await handle({ name: 'daily', data: tick, id: 'repeat:daily:1' });

    expect(heard).toEqual([]);
    expect(unscheduled).toEqual([]);
    expect(scheduled).toEqual(['daily 0 9 * * *', 'daily 0 10 * * *']);
  });

  it('given a schedule that another process takes away, then it is soon set up again', async () => {
    service.start();
    await eventually(() => scheduled.length > 0);
    const now = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(now + 30_000);
    change();
    await eventually(() => scheduled.length > 1);

    expect(scheduled).toEqual(['daily 0 9 * * *', 'daily 0 9 * * *']);
  });

  it('given a schedule that is taken away late, when the flow is resumed before, then it is set up again', async () => {
    service.start();
    await eventually(() => scheduled.length > 0);
    takeAway = () => Promise.reject(new PatchbayError('hub.busy'));
    isRunning = false;
    change();
    await eventually(() => unscheduled.length > 0);
    isRunning = true;
    change();
    await eventually(() => scheduled.length > 1);

    expect(scheduled).toEqual(['daily 0 9 * * *', 'daily 0 9 * * *']);
  });

  it('given a flow that is resumed while its last tick takes the schedule away, then it is set up again', async () => {
    service.start();
    await eventually(() => scheduled.length > 0);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    takeAway = () => gate;
    isRunning = false;
    const handled = handle({ name: 'daily', data: tick, id: 'repeat:daily:1' });
    await eventually(() => unscheduled.length > 0);
    isRunning = true;
    open();
    await handled;
    await eventually(() => scheduled.length > 1);

    expect(scheduled).toEqual(['daily 0 9 * * *', 'daily 0 9 * * *']);
  });
});
