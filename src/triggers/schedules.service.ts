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
/** Another process may have taken away, or set up otherwise, what this one has set up. */
const believedForMs = 30_000;

export interface SchedulesParts {
  readonly sources: SourcesService;
  readonly queues: Queues;
  readonly intake: IntakeService;
  readonly log: Logger;
}

interface Known {
  readonly text: string;
  readonly untilMs: number;
}

/** While it is not known what the queue has. */
const unsure: Known = { text: '', untilMs: 0 };

/** Flows that start by the clock: one job scheduler per flow, whichever process it was that set it up. */
export class SchedulesService {
  readonly #known = new Map<string, Known>();
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
    const wanted = this.#wanted();
    for (const [flow, { schedule, tick }] of wanted) {
      const text = JSON.stringify([schedule, tick]);
      const known = this.#known.get(flow);
      if (known?.text === text && performance.now() < known.untilMs) continue;
      // Here as below: what the queue did not answer in time may happen later.
      this.#known.set(flow, unsure);
      await this.parts.queues.schedule(queueName, flow, { pattern: schedule.cron, tz: schedule.timezone }, tick);
      this.#known.set(flow, { text, untilMs: performance.now() + believedForMs });
    }
    for (const flow of this.#known.keys()) {
      if (wanted.has(flow)) continue;
      this.#known.set(flow, unsure);
      await this.parts.queues.unschedule(queueName, flow);
      this.#known.delete(flow);
    }
  }

  #wanted(): ReadonlyMap<string, { readonly schedule: Schedule; readonly tick: Tick }> {
    const wanted = new Map<string, { schedule: Schedule; tick: Tick }>();
    for (const source of this.parts.sources.all()) {
      const schedule = source.trigger.schedule?.(source.input);
      const flow = source.flows[0]?.flow.name;
      if (schedule === undefined || flow === undefined) continue;
      wanted.set(flow, { schedule, tick: { source: source.id, flow } });
    }
    return wanted;
  }

  async #tick(tick: Tick, jobId: string): Promise<void> {
    const { sources } = this.parts;
    // Of flow files that could not be read yet it is not known what is due.
    while (!sources.areKnown()) await delay(knownEveryMs, undefined, { ref: false });
    const source = sources.find(tick.source);
    if (source === undefined) {
      await this.#leave(tick.flow);
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

  /** A scheduler outlives the flow that set it up when that was removed while the hub was down. */
  async #leave(flow: string): Promise<void> {
    // Of a flow that was edited only what was due before it was is left out: the scheduler is that of its new version.
    if (this.#wanted().has(flow)) return;
    try {
      await this.parts.queues.unschedule(queueName, flow);
    } finally {
      // It may be wanted again by now.
      this.#known.delete(flow);
      void this.#looks.ask();
    }
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
