import type { CompiledFlow } from '#engine';
import { PatchbayError, type Heard, type Refusal } from '#sdk';
import { Batcher, rethrowStoreError, storableJson, type Metrics } from '#platform';
import { eventId, runId } from './identity.js';
import type { BackfillMove, EventRow, IntakeStore, ReadyRun, RunRow, Stored, Storing } from './intake.store.js';
import type { RunsHere } from './runs-here.js';
import type { ClaimedRun } from './runs.store.js';

/** What a trigger heard, and which flows wait for it. */
export interface Intake {
  /** Under which the events are kept. */
  readonly source: string;
  readonly uses: string;
  readonly heard: readonly Heard[];
  readonly flows: readonly CompiledFlow[];
  /** Where the listener has got to. */
  readonly cursor?: { readonly source: string; readonly place: string; readonly epoch: string };
  /** The backfill that it is a part of, and how far that has come. */
  readonly backfill?: Omit<BackfillMove, 'events'>;
  /** False: the events that the flows would take are stored, and no run is started. */
  readonly startsRuns?: boolean;
}

export interface Accepted {
  readonly id: string;
  /** False: no flow takes it. */
  readonly isKept: boolean;
  readonly runs: readonly { readonly id: string; readonly flow: string; readonly isNew: boolean }[];
}

export interface IntakeParts {
  readonly store: IntakeStore;
  readonly env: Readonly<Record<string, string>>;
  readonly metrics: Metrics;
  readonly here: RunsHere;
  /** Told after the commit; may be lost without harm. */
  readonly wake: (ready: readonly ReadyRun[]) => void;
}

interface Prepared {
  readonly storing: Storing;
  readonly accepted: readonly { readonly id: string; readonly isKept: boolean; readonly runs: readonly RunRow[] }[];
}

/** Turns what was heard into events and runs. When `accept` has returned, they are kept. */
export class IntakeService {
  readonly #batcher: Batcher<Prepared, Stored>;

  constructor(private readonly parts: IntakeParts) {
    this.#batcher = new Batcher((batch) => this.#write(batch), { size: 200, parallel: 2 });
  }

  /** @throws lease.lost, and keeps nothing, when its place is another process's by now, or its backfill is over */
  async accept(intake: Intake): Promise<readonly Accepted[]> {
    const prepared = this.#prepare(intake);
    const stored = await this.#batcher.add(prepared).catch(rethrowStoreError);
    this.parts.metrics.eventsIngested.inc({ uses: intake.uses }, intake.heard.length);
    return prepared.accepted.map(({ id, isKept, runs }) => ({
      id,
      isKept,
      runs: runs.map((run) => ({ id: run.id, flow: run.flow, isNew: stored.created.has(run.id) })),
    }));
  }

  #prepare(intake: Intake): Prepared {
    const events = new Map<string, EventRow>();
    const runs = new Map<string, RunRow>();
    const accepted = intake.heard.map((heard) => {
      const id = eventId(intake.source, heard.id);
      const wanted = intake.flows.flatMap((flow) => this.#runFor(flow, id, heard) ?? []);
      // An event that no flow takes is not kept: chains are full of them.
      const isKept = wanted.length > 0;
      if (isKept) events.set(id, eventRow(id, intake, heard));
      if (intake.startsRuns === false) return { id, isKept, runs: [] };
      for (const run of wanted) runs.set(run.id, run);
      return { id, isKept, runs: wanted };
    });
    const cursors = intake.cursor
      ? [{ source: intake.cursor.source, cursor: intake.cursor.place, epoch: intake.cursor.epoch }]
      : [];
    const backfills = intake.backfill
      ? [{ ...intake.backfill, events: accepted.filter(({ isKept }) => isKept).length }]
      : [];
    return { storing: { events: [...events.values()], runs: [...runs.values()], cursors, backfills }, accepted };
  }

  #runFor(compiled: CompiledFlow, event: string, heard: Heard): RunRow | undefined {
    const { name, version } = compiled.flow;
    const row = { flow: name, version, event_id: event, kind: 'event' as const, parent_id: null };
    if (heard.refused !== undefined) {
      // In no lane, so that what waits behind it goes on. Keys are not made: they may be what cannot be read.
      const error = { ...errorOf(heard.refused), refused: true };
      return { ...row, id: runId(name, event), ordering_key: null, state: 'failed', error };
    }
    try {
      const acceptance = compiled.accept(heard.event, this.parts.env);
      if (!acceptance.takes) return undefined;
      return {
        ...row,
        id: runId(name, acceptance.idempotencyKey ?? event),
        ordering_key: acceptance.orderingKey ?? null,
        state: 'queued',
        error: null,
      };
    } catch (thrown) {
      // A condition or key that cannot be evaluated must not lose the event: it becomes a dead letter.
      const error = errorOf(PatchbayError.from(thrown));
      return { ...row, id: runId(name, event), ordering_key: null, state: 'failed', error };
    }
  }

  async #write(batch: readonly Prepared[]): Promise<Stored[]> {
    const { store, wake } = this.parts;
    const storing = merged(batch.map((prepared) => prepared.storing));
    const stored = await this.#storeAndBegin(storing);
    if (stored.ready.length > 0) wake(stored.ready);
    const heads = await store.headsAmong(stored.inLanes);
    if (heads.length > 0) wake(heads);
    return batch.map(() => stored);
  }

  /** What is claimed is begun before anything else is asked of the store: a claim that nobody holds is soon taken for lost. */
  async #storeAndBegin(storing: Storing): Promise<Stored> {
    const { store, here } = this.parts;
    const claims = here.claimsFor(storing.runs);
    let claimed: readonly ClaimedRun[] = [];
    try {
      const stored = await store.store(storing, claims);
      ({ claimed } = stored);
      return stored;
    } finally {
      here.begin(claims, claimed);
    }
  }
}

function errorOf({ code, detail: message, fix }: Refusal | PatchbayError): object {
  return { code, message, ...(fix !== undefined && { fix }), step: 'trigger' };
}

function merged(storings: readonly Storing[]): Storing {
  const [first] = storings;
  if (storings.length === 1 && first !== undefined) return first;
  return {
    events: [...new Map(storings.flatMap(({ events }) => events.map((row) => [row.id, row]))).values()],
    runs: [...new Map(storings.flatMap(({ runs }) => runs.map((row) => [row.id, row]))).values()],
    cursors: [...new Map(storings.flatMap(({ cursors }) => cursors.map((move) => [move.source, move]))).values()],
    backfills: storings.flatMap(({ backfills = [] }) => backfills),
  };
}

function eventRow(id: string, intake: Intake, heard: Heard): EventRow {
  return {
    id,
    source: intake.source,
    key: heard.id,
    type: intake.uses,
    subject: heard.subject ?? null,
    place: heard.place ?? null,
    position: heard.position ?? null,
    time: heard.time ?? new Date().toISOString(),
    data: storableJson(heard.event),
  };
}
