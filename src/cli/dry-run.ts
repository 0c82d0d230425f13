import { runToEnd, type Call, type CompiledFlow, type Vocabulary } from '#engine';
import { PatchbayError, isErrorCode, type ErrorCode, type z } from '#sdk';
import { sampleOf } from './sample-output.js';

export interface DryRunInput {
  readonly event: unknown;
  readonly env: Readonly<Record<string, string>>;
  /** What steps answer, by id: an output, or `{ error: code }`. */
  readonly answers: ReadonlyMap<string, unknown>;
  readonly vocabulary: Vocabulary;
  readonly now: Date;
}

export interface DryCall {
  readonly step: string;
  readonly uses: string;
  readonly connection?: string;
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: ErrorCode;
  /** The output was made up from the schema of the action. */
  readonly isMadeUp: boolean;
  readonly attempts: number;
}

export interface DryRun {
  readonly flow: string;
  readonly takes: boolean;
  readonly because?: string;
  readonly idempotencyKey?: string;
  readonly orderingKey?: string;
  readonly calls: readonly DryCall[];
  readonly skipped: readonly string[];
  readonly outcome: 'completed' | 'failed' | 'ignored';
  readonly failed: readonly string[];
  readonly error?: { readonly step: string; readonly code: string; readonly message: string; readonly fix?: string };
}

/**
 * Runs a flow to its end with answers instead of calls; the clock jumps to the next attempt.
 *
 * @throws template.missingValue when a condition or key of the flow refers to something the event lacks
 */
export async function dryRun(compiled: CompiledFlow, input: DryRunInput): Promise<DryRun> {
  const flow = compiled.flow.name;
  const acceptance = compiled.accept(input.event, input.env);
  if (!acceptance.takes) {
    return { flow, takes: false, because: acceptance.because, calls: [], skipped: [], outcome: 'ignored', failed: [] };
  }
  const calls = new Map<string, DryCall>();
  const { outcome, journal } = await runToEnd(compiled, {
    event: input.event,
    env: input.env,
    runId: '00000000-0000-4000-8000-000000000000',
    createdAt: input.now,
    call: async (call) => answer(call, input, calls),
  });
  const { idempotencyKey, orderingKey } = acceptance;
  return {
    flow,
    takes: true,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(orderingKey !== undefined && { orderingKey }),
    calls: [...calls.values()],
    skipped: journal.filter((entry) => entry.state === 'skipped').map((entry) => entry.step),
    outcome: outcome.kind,
    failed: outcome.failed,
    ...(outcome.kind === 'failed' && { error: outcome.error }),
  };
}

function answer(call: Call, { answers, vocabulary }: DryRunInput, calls: Map<string, DryCall>): unknown {
  const given = answers.get(call.step);
  const error = errorOf(given);
  const isMadeUp = given === undefined;
  const schema: z.ZodType | undefined = vocabulary.action(call.uses)?.output;
  const output = isMadeUp && schema !== undefined ? sampleOf(schema, call.step) : given;
  calls.set(call.idempotencyKey, {
    step: call.step,
    uses: call.uses,
    ...(call.connection !== undefined && { connection: call.connection }),
    input: call.input,
    ...(error === undefined ? { output } : { error }),
    isMadeUp,
    attempts: call.attempt,
  });
  if (error !== undefined) throw new PatchbayError(error);
  return output;
}

function errorOf(given: unknown): ErrorCode | undefined {
  if (typeof given !== 'object' || given === null || !('error' in given)) return undefined;
  const { error } = given;
  return Object.keys(given).length === 1 && typeof error === 'string' && isErrorCode(error) ? error : undefined;
}
