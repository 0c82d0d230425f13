import { PatchbayError } from '#sdk';
import type { Call, CompiledFlow, JournalEntry, RunOutcome } from './flow.js';

export interface WholeRun {
  readonly event: unknown;
  readonly env: Readonly<Record<string, string>>;
  readonly runId: string;
  readonly createdAt: Date;
  readonly call: (call: Call) => Promise<unknown>;
}

export interface EndedRun {
  readonly outcome: Extract<RunOutcome, { kind: 'completed' | 'failed' }>;
  readonly journal: readonly JournalEntry[];
}

const maxPasses = 10_000;

/** Runs a flow to its end with a journal in memory; instead of waiting, the clock jumps to the next attempt. */
export async function runToEnd(flow: CompiledFlow, run: WholeRun): Promise<EndedRun> {
  const { event, env, runId, createdAt, call } = run;
  const journal = new Map<string, JournalEntry>();
  const keep = (entries: readonly JournalEntry[]) =>
    entries.forEach((entry) => journal.set(`${entry.step}:${entry.iteration}`, entry));
  let now = createdAt;
  for (let pass = 0; pass < maxPasses; pass++) {
    const outcome = await flow.advance({
      event,
      env,
      run: { id: runId, createdAt },
      line: 'steps',
      journal: [...journal.values()],
      signal: new AbortController().signal,
      call,
      record: async (entries) => keep(entries),
      now: () => now,
    });
    keep(outcome.entries);
    if (outcome.kind === 'retry') now = outcome.at;
    else if (outcome.kind !== 'interrupted') return { outcome, journal: [...journal.values()] };
  }
  throw new PatchbayError('internal', { detail: `The flow ${flow.flow.name} did not come to an end.` });
}
