import type { Store } from '#platform';
import { eventId, runId } from '../../src/runs/identity.js';
import { IntakeStore, type EventRow, type RunRow } from '../../src/runs/intake.store.js';
import { ReversalsStore } from '../../src/runs/reversals.store.js';
import { RunsStore } from '../../src/runs/runs.store.js';
import { openTestStore } from '../environment/postgres.js';

/** The ledger of events and runs in a database of its own, as the process `1` sees it. */
export interface TestLedger {
  readonly store: Store;
  readonly intake: IntakeStore;
  readonly runs: RunsStore;
  readonly reversals: ReversalsStore;
}

export async function openTestLedger(): Promise<TestLedger> {
  const store = await openTestStore();
  const { pool } = store;
  return {
    store,
    intake: new IntakeStore(pool),
    runs: new RunsStore(pool, () => '1'),
    reversals: new ReversalsStore(pool),
  };
}

/** An event as the intake stores it; everything that does not matter to a test has a value. */
export function anEvent(key: string, overrides: Partial<EventRow> = {}): EventRow {
  const source = overrides.source ?? 'test.heard/source';
  return {
    id: eventId(source, key),
    source,
    key,
    type: 'test.heard',
    subject: null,
    place: null,
    position: null,
    time: '2026-01-01T00:00:00.000Z',
    data: JSON.stringify({ key }),
    ...overrides,
  };
}

export function aRunOf(event: EventRow, overrides: Partial<RunRow> = {}): RunRow {
  const flow = overrides.flow ?? 'test-flow';
  return {
    id: runId(flow, event.id),
    flow,
    version: 'v1',
    event_id: event.id,
    kind: 'event',
    parent_id: null,
    ordering_key: null,
    state: 'queued',
    error: null,
    ...overrides,
  };
}
