import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
  let handle: JobHandler<typeof tick>;

  beforeEach(() => {
    [faults, scheduled, heard, unscheduled, areKnown] = [[], [], [], [], true];
    const fail = (): void => {
      const fault = faults.shift();
      if (fault) throw fault;
    };
    const source = {
      ...{ id: tick.source, uses: 'clock.tick', input: {}, flows: [{ flow: { name: 'daily' } }] },
      trigger: { schedule: () => ({ cron: '0 9 * * *' }) },
    };
    const parts = {
      sources: {
        all: () => (areKnown ? [source] : []),
        find: (id: string) => (areKnown && id === source.id ? source : undefined),
        areKnown: () => areKnown,
        onChange: () => undefined,
      },
      queues: {
        worker: (_name: string, handler: JobHandler<typeof tick>) => (handle = handler),
        schedule: async (_queue: string, id: string) => {
          fail();
          scheduled.push(id);
        },
        unschedule: async (_queue: string, id: string) => void unscheduled.push(id),
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

  afterEach(() => service.stop());

  it('given a queue that is away when they are set up, then they are set up once it is back', async () => {
    faults = [new PatchbayError('hub.busy')];
    service.start();
    await eventually(() => scheduled.length > 0);

    expect(scheduled).toEqual(['daily']);
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
});
