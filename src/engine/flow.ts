import type { Fault } from '#sdk';

/** A flow as data: what the loader makes of a YAML document. Durations are milliseconds. */
export interface Flow {
  readonly name: string;
  readonly description: string | undefined;
  /** Content hash of the document; a run finishes on the version it began with. */
  readonly version: string;
  readonly document: string;
  readonly trigger: FlowTrigger;
  readonly steps: readonly Step[];
  readonly onFailure: readonly Step[];
  readonly onReverted: readonly Step[];
  /** Template text. Absent: the id of the event. */
  readonly idempotencyKey: string | undefined;
  /** Template text. Absent: no order. */
  readonly orderingKey: string | undefined;
  readonly concurrency: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly enabled: boolean;
}

export interface FlowTrigger {
  readonly uses: string;
  readonly connection: string | undefined;
  readonly with: Readonly<Record<string, unknown>>;
  readonly where: Where | undefined;
}

export interface Step {
  /** The author's id, or `step-1`, `onFailure-1`, `onReverted-1` … by place. Unique in the flow. */
  readonly id: string;
  readonly uses: string;
  readonly connection: string | undefined;
  readonly with: Readonly<Record<string, unknown>>;
  readonly where: Where | undefined;
  /** Template text that gives a list; `item` and `index` are then in scope. */
  readonly forEach: string | undefined;
  readonly onError: 'stop' | 'continue';
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | undefined;
}

/** Path to conditions; all must hold. */
export type Where = Readonly<Record<string, unknown>>;

export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: 'fixed' | 'exponential';
  readonly delayMs: number;
}

// ---------------------------------------------------------------- a run

export interface RunIdentity {
  readonly id: string;
  readonly createdAt: Date;
}

/** What is remembered about one step (one iteration of it). Written once it is final, rewritten while it is being retried. */
export interface JournalEntry {
  readonly step: string;
  /** 0 unless the step has `forEach`. */
  readonly iteration: number;
  readonly state: 'succeeded' | 'failed' | 'skipped' | 'retrying';
  /** Tries that ended, by success or by error; a crash is none. */
  readonly attempts: number;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly error?: StepError;
  /** Only with `retrying`. */
  readonly retryAt?: Date;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

export interface StepError {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  /** The connection that the step waits for, until somebody lets the hub in again. */
  readonly connection?: string;
}

/** One call that the engine asks for. */
export interface Call {
  readonly step: string;
  readonly uses: string;
  readonly connection: string | undefined;
  /** Rendered and checked by the action's schema. */
  readonly input: unknown;
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export type RunOutcome =
  /** Every step is done, skipped or (with `onError: continue`) given up; the latter are named in `failed`. */
  | { readonly kind: 'completed'; readonly failed: readonly string[]; readonly entries: readonly JournalEntry[] }
  /** `isPastMainLine`: only steps with `onError: continue` are left, so later runs of the same ordering key may start. */
  | {
      readonly kind: 'retry';
      readonly at: Date;
      readonly isPastMainLine: boolean;
      readonly error: StepError & { readonly step: string };
      readonly entries: readonly JournalEntry[];
    }
  | {
      readonly kind: 'failed';
      readonly failed: readonly string[];
      readonly error: StepError & { readonly step: string };
      readonly entries: readonly JournalEntry[];
    }
  /** The signal was raised; nothing is known to have failed. */
  | { readonly kind: 'interrupted'; readonly entries: readonly JournalEntry[] };

export interface Advance {
  readonly event: unknown;
  readonly run: RunIdentity;
  /** Which list of steps: the flow's own, or those for an event that vanished. */
  readonly line: 'steps' | 'onReverted';
  /** What the journal holds already; for `onReverted` including the entries of the run that is being undone. */
  readonly journal: readonly JournalEntry[];
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  call(call: Call): Promise<unknown>;
  /** Resolves when the entries are kept. Entries of the last step come back with the outcome instead, to be kept together with it. */
  record(entries: readonly JournalEntry[]): Promise<void>;
  now(): Date;
}

/** What a flow says about an event before a run exists. */
export type Acceptance =
  | { readonly takes: true; readonly idempotencyKey: string | undefined; readonly orderingKey: string | undefined }
  | { readonly takes: false; readonly because: string };

/** A flow whose templates and conditions are compiled once. */
export interface CompiledFlow {
  readonly flow: Flow;
  /** It has steps that send value or write to a chain because of the event. */
  readonly movesValue: boolean;
  /** @throws template.missingValue when `where` or a key refers to something the event lacks */
  accept(event: unknown, env: Readonly<Record<string, string>>): Acceptance;
  /** Executes from the first unfinished step on, as far as it goes now. */
  advance(advance: Advance): Promise<RunOutcome>;
}

export interface LoadedFlow {
  /** Absent when there are faults. */
  readonly flow: CompiledFlow | undefined;
  readonly faults: readonly Fault[];
  /** Risks that the document takes; no reason to refuse it. */
  readonly warnings: readonly Fault[];
}
