import { PatchbayError, type ErrorCode } from '#sdk';
import type { Call, CompiledFlow, StepError } from './flow.js';
import { runToEnd } from './run-to-end.js';

/** What a step answers when it is called. */
export type Answer = { readonly output: unknown } | { readonly error: ErrorCode };

export interface Rehearsal {
  readonly event: unknown;
  readonly answers: ReadonlyMap<string, Answer>;
  readonly env: Readonly<Record<string, string>>;
  readonly runId: string;
}

/** What a run would do: every call once, however often it is tried again. */
export interface RehearsedRun {
  readonly ended: 'completed' | 'ignored' | 'failed';
  readonly calls: readonly { readonly uses: string; readonly input: unknown }[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  readonly error: (StepError & { readonly step?: string }) | undefined;
  /** Steps that were called without an answer. */
  readonly unanswered: readonly string[];
}

/** Runs a flow to its end with answers in place of connectors, and with a clock that jumps to the next attempt. */
export async function rehearse(flow: CompiledFlow, rehearsal: Rehearsal): Promise<RehearsedRun> {
  const { event, env, runId } = rehearsal;
  try {
    const acceptance = flow.accept(event, env);
    if (!acceptance.takes) return nothingDone('ignored', undefined);
  } catch (thrown) {
    const { code, detail } = PatchbayError.from(thrown);
    return nothingDone('failed', { code, message: detail });
  }
  const calls = new Map<string, Call>();
  const unanswered = new Set<string>();
  const call = async (one: Call): Promise<unknown> => {
    calls.set(one.idempotencyKey, calls.get(one.idempotencyKey) ?? one);
    const answer = rehearsal.answers.get(one.step);
    if (!answer) unanswered.add(one.step);
    if (answer && 'error' in answer) throw new PatchbayError(answer.error, { retryAfterMs: 3_600_000 });
    return answer?.output ?? {};
  };
  const { outcome, journal } = await runToEnd(flow, { event, env, runId, createdAt: new Date(0), call });
  return {
    ended: outcome.kind,
    calls: [...calls.values()],
    failed: outcome.failed,
    skipped: [...new Set(journal.flatMap((entry) => (entry.state === 'skipped' ? entry.step : [])))],
    error: outcome.kind === 'failed' ? outcome.error : undefined,
    unanswered: [...unanswered],
  };
}

function nothingDone(ended: RehearsedRun['ended'], error: RehearsedRun['error']): RehearsedRun {
  return { ended, calls: [], failed: [], skipped: [], error, unanswered: [] };
}
