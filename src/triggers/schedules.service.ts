import { setTimeout as delay } from 'node:timers/promises';
import { Looks, type Queues } from '#platform';
import type { Intake, IntakeService } from '#runs';
import { PatchbayError, type Logger, type Schedule } from '#sdk';
import type { SourcesService } from './sources.service.js';

interface Tick {
  readonly source: string;
  readonly flow: string;
}

const queueName = 'schedules';
const checkEveryMs = 2_000;
const knownEveryMs = 100;

export interface SchedulesParts {
  readonly sources: SourcesService;
  readonly queues: Queues;
  readonly intake: IntakeService;
  readonly log: Logger;
}

/** Flows that start by the clock: one job scheduler per flow, whichever process it was that set it up. */
export class SchedulesService {
  readonly #known = new Map<string, string>();
  readonly #looks: Looks;

  constructor(private readonly parts: SchedulesParts) {
    this.#looks = new Looks({
      look: () => this.#align(),
      failed: (error) => parts.log.info('Schedules could not be set up for now', { error }),
      everyMs: checkEveryMs,
    });
  }

  start(): void {
    this.parts.queues.worker<Tick>(queueName, (job) => this.#tick(job.data, job.id), { concurrency: 4 });
    this.parts.sources.onChange(() => void this.#looks.ask());
    void this.#looks.start();
  }

  stop(): Promise<void> {
    return this.#looks.stop();
  }

  async #align(): Promise<void> {
    const wanted = new Map<string, { schedule: Schedule; tick: Tick }>();
    for (const source of this.parts.sources.all()) {
      const schedule = source.trigger.schedule?.(source.input);
      const flow = source.flows[0]?.flow.name;
      if (schedule === undefined || flow === undefined) continue;
      wanted.set(flow, { schedule, tick: { source: source.id, flow } });
    }
    for (const [flow, { schedule, tick }] of wanted) {
      const text = JSON.stringify([schedule, tick]);
      if (this.#known.get(flow) === text) continue;
      await this.parts.queues.schedule(queueName, flow, { pattern: schedule.cron, tz: schedule.timezone }, tick);
      this.#known.set(flow, text);
    }
    for (const flow of this.#known.keys()) {
      if (wanted.has(flow)) continue;
      await this.parts.queues.unschedule(queueName, flow);
      this.#known.delete(flow);
    }
  }

  /** A scheduler outlives the flow that set it up when that was removed while the hub was down. */
  async #tick(tick: Tick, jobId: string): Promise<void> {
    const { sources } = this.parts;
    // Of flow files that could not be read yet it is not known what is due.
    while (!sources.areKnown()) await delay(knownEveryMs, undefined, { ref: false });
    const source = sources.find(tick.source);
    if (source === undefined) {
      await this.parts.queues.unschedule(queueName, tick.flow);
      return;
    }
    const scheduledFor = new Date(Number(/:(\d+)$/.exec(jobId)?.[1] ?? Date.now())).toISOString();
    const { cron } = source.trigger.schedule?.(source.input) ?? { cron: '' };
    await this.#keep({
      source: source.id,
      uses: source.uses,
      heard: [{ id: scheduledFor, time: scheduledFor, event: { scheduledFor, cron } }],
      flows: source.flows,
    });
  }

  /** However long the database is away: nobody would miss a tick that is dropped. One that is still waiting when the process ends is another's. */
  async #keep(intake: Intake): Promise<void> {
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        await this.parts.intake.accept(intake);
        return;
      } catch (error) {
        if (PatchbayError.from(error).code !== 'store.unavailable') throw error;
        this.parts.log.info('What was due by the clock cannot be stored for now', { error });
        await delay(waitMs, undefined, { ref: false });
      }
    }
  }
}
