import type { JournalEntry, StepError } from '#engine';
import type { ClaimedRun } from './runs.store.js';
import { storableJson } from '#platform';

/** Entries of one run, to be written under its claim. */
export interface Journaling {
  readonly run: ClaimedRun;
  readonly entries: readonly JournalEntry[];
}

export interface JournalRow {
  readonly step: string;
  readonly iteration: number;
  readonly state: JournalEntry['state'];
  readonly attempts: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: StepError | null;
  readonly retry_at: Date | null;
  readonly started_at: Date;
  readonly finished_at: Date;
}

export function entryOf(row: JournalRow): JournalEntry {
  return {
    step: row.step,
    iteration: row.iteration,
    state: row.state,
    attempts: row.attempts,
    ...(row.input !== null && { input: row.input }),
    ...(row.output !== null && { output: row.output }),
    ...(row.error !== null && { error: row.error }),
    ...(row.retry_at !== null && { retryAt: row.retry_at }),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

/** The last word on each step wins: one statement may not touch a row twice. */
export function journalJson(items: readonly Journaling[]): string {
  const rows = new Map<string, object>();
  for (const { run, entries } of items) {
    for (const entry of entries) {
      rows.set(`${run.id} ${entry.step} ${entry.iteration}`, {
        run_id: run.id,
        claim: run.claim,
        step: entry.step,
        iteration: entry.iteration,
        state: entry.state,
        attempts: entry.attempts,
        // What succeeded can be rendered again from the event; what failed is kept to be looked at.
        input: entry.state === 'succeeded' ? undefined : entry.input,
        output: entry.output,
        error: entry.error,
        retry_at: entry.retryAt,
        started_at: entry.startedAt,
        finished_at: entry.finishedAt,
      });
    }
  }
  return storableJson([...rows.values()]);
}
