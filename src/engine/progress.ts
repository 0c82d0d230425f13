import { PatchbayError } from '#sdk';
import { callWithin } from './deadline.js';
import type { Advance, Flow, JournalEntry, RunOutcome, Step, StepError } from './flow.js';
import { isLargerThan, toPlainData } from './plain-data.js';
import { retryDelayMs } from './retry.js';
import type { CompiledStep } from './step.js';
import type { Scope } from './template.js';

export interface Lines {
  readonly steps: readonly CompiledStep[];
  readonly onFailure: readonly CompiledStep[];
  readonly onReverted: readonly CompiledStep[];
}

/** How far one line of steps got. */
type LineEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting' | 'failed'; readonly entry: JournalEntry }
  | { readonly kind: 'interrupted' };

type FailedStep = StepError & { readonly step: string };

const maxAgeMs = 72 * 60 * 60 * 1000;
const maxOutput = 64 * 1024;
const interrupted: LineEnd = { kind: 'interrupted' };

/** One pass over a run: from what the journal holds to as far as it goes now. */
export class Progress {
  readonly #journal = new Map<string, JournalEntry>();
  readonly #outputs: Record<string, unknown> = {};
  /** Final or waiting since the last `record`. */
  #unrecorded: JournalEntry[] = [];
  #failed: string[] = [];
  /** Waiting to be tried again while the run goes on. */
  #waiting: JournalEntry[] = [];
  #error: FailedStep | undefined;
  #deadline: number | undefined;

  constructor(
    readonly flow: Flow,
    readonly lines: Lines,
    readonly run: Advance,
    readonly random: (() => number) | undefined,
  ) {
    for (const entry of run.journal) this.#journal.set(keyOf(entry.step, entry.iteration), entry);
    // What undoes a run takes place long after it.
    if (flow.timeoutMs !== undefined && run.line === 'steps')
      this.#deadline = run.run.createdAt.getTime() + flow.timeoutMs;
  }

  async advance(): Promise<RunOutcome> {
    if (this.run.line === 'onReverted') return this.#revert();
    const lost = this.#findFailure();
    if (lost) return this.#giveUp(lost);
    const end = await this.#execute(this.lines.steps);
    return end.kind === 'failed' ? this.#giveUp(end.entry) : this.#outcome(end);
  }

  async #revert(): Promise<RunOutcome> {
    this.#restoreOutputs();
    const end = await this.#execute(this.lines.onReverted);
    if (end.kind === 'failed') this.#error = { step: end.entry.step, ...errorOf(end.entry) };
    return this.#outcome(end);
  }

  /** What was to be tried again beside the main line is not: the run is over, and a person decides about it. */
  async #giveUp(entry: JournalEntry): Promise<RunOutcome> {
    this.#error = { step: entry.step, ...errorOf(entry) };
    this.#waiting = [];
    this.#deadline = undefined;
    this.#failed = this.lines.steps.flatMap(({ step }) =>
      this.#entriesOf(step.id).some(({ state }) => state === 'failed' || state === 'retrying') ? step.id : [],
    );
    this.#restoreOutputs();
    return this.#outcome(await this.#execute(this.lines.onFailure));
  }

  /** The run was given up in an earlier pass, and its `onFailure` steps were not finished then. */
  #findFailure(): JournalEntry | undefined {
    if (this.#journal.size === 0) return undefined;
    for (const { step } of this.lines.steps) {
      const fatal = this.#entriesOf(step.id).find((entry) => isFatal(step, entry));
      if (fatal) return fatal;
    }
    return undefined;
  }

  #outcome(end: LineEnd): RunOutcome {
    const entries = this.#unrecorded;
    if (end.kind === 'interrupted') return { kind: 'interrupted', entries };
    const waitsFor = end.kind === 'waiting' ? end.entry : earliest(this.#waiting);
    if (waitsFor && end.kind !== 'failed') {
      return {
        kind: 'retry',
        at: this.#nextLook(end.kind === 'waiting' ? [...this.#waiting, end.entry] : this.#waiting),
        isPastMainLine: end.kind === 'done',
        error: { step: waitsFor.step, ...errorOf(waitsFor) },
        entries,
      };
    }
    const failed = [...new Set(this.#failed)];
    return this.#error
      ? { kind: 'failed', failed, error: this.#error, entries }
      : { kind: 'completed', failed, entries };
  }

  #nextLook(waiting: readonly JournalEntry[]): Date {
    const retryAt = earliest(waiting)?.retryAt?.getTime() ?? 0;
    return new Date(Math.min(retryAt, this.#deadline ?? Infinity));
  }

  // ---------------------------------------------------------------- steps

  async #execute(steps: readonly CompiledStep[]): Promise<LineEnd> {
    for (const compiled of steps) {
      const end = compiled.items ? await this.#repeat(compiled) : await this.#once(compiled);
      if (end) return end;
    }
    return { kind: 'done' };
  }

  /** Undefined: the line goes on. */
  async #once(compiled: CompiledStep): Promise<LineEnd | undefined> {
    const entry = await this.#entry(compiled, 0);
    if (entry?.state === 'succeeded') this.#outputs[compiled.step.id] = entry.output;
    return this.#judge(compiled, entry);
  }

  async #repeat(compiled: CompiledStep): Promise<LineEnd | undefined> {
    const items = this.#items(compiled);
    if (!items) return this.#judge(compiled, this.#journal.get(keyOf(compiled.step.id, 0)));
    const outputs: unknown[] = [];
    let isWhole = true;
    for (const [index, item] of items.entries()) {
      const entry = await this.#entry(compiled, index, { item, index });
      const end = this.#judge(compiled, entry);
      if (end) return end;
      isWhole &&= entry?.state === 'succeeded' || entry?.state === 'skipped';
      outputs.push(entry?.output ?? null);
    }
    if (isWhole) this.#outputs[compiled.step.id] = outputs;
    return undefined;
  }

  /** Undefined when there is no list; the step has failed then. */
  #items(compiled: CompiledStep): readonly unknown[] | undefined {
    try {
      return compiled.items?.(this.#scope(1));
    } catch (error) {
      if (!this.#journal.has(keyOf(compiled.step.id, 0))) {
        const now = this.run.now();
        this.#keep(
          this.#afterError(compiled, PatchbayError.from(error), { iteration: 0, attempts: 0, startedAt: now }),
        );
      }
      return undefined;
    }
  }

  #judge({ step }: CompiledStep, entry: JournalEntry | undefined): LineEnd | undefined {
    if (!entry) return interrupted;
    if (entry.state === 'succeeded' || entry.state === 'skipped') return undefined;
    if (entry.state === 'failed') {
      this.#failed.push(step.id);
      return isFatal(step, entry) ? { kind: 'failed', entry } : undefined;
    }
    if (step.onError === 'stop') return { kind: 'waiting', entry };
    this.#waiting.push(entry);
    return undefined;
  }

  /** What the journal says, or what it will say after one more attempt; undefined when interrupted. */
  async #entry(
    compiled: CompiledStep,
    iteration: number,
    repetition: Repetition = {},
  ): Promise<JournalEntry | undefined> {
    const known = this.#journal.size === 0 ? undefined : this.#journal.get(keyOf(compiled.step.id, iteration));
    if (known && known.state !== 'retrying') return known;
    if (this.run.signal.aborted) return undefined;
    const now = this.run.now();
    const sofar: SoFar = { iteration, attempts: known?.attempts ?? 0, startedAt: known?.startedAt ?? now };
    if (this.#deadline !== undefined && now.getTime() >= this.#deadline) {
      return this.#keep(this.#afterError(compiled, this.#flowTimeout(), sofar));
    }
    if (known?.retryAt && known.retryAt.getTime() > now.getTime()) return known;
    const entry = await this.#attempt(compiled, sofar, this.#scope(sofar.attempts + 1, repetition));
    return entry && this.#keep(entry);
  }

  async #attempt(compiled: CompiledStep, sofar: SoFar, scope: Scope): Promise<JournalEntry | undefined> {
    const { step } = compiled;
    const attempts = sofar.attempts + 1;
    let input: unknown;
    try {
      if (!compiled.holds(scope)) return this.#ended(step.id, sofar, { state: 'skipped' });
      input = compiled.input(scope);
    } catch (error) {
      return this.#afterError(compiled, PatchbayError.from(error), sofar);
    }
    if (this.#unrecorded.length > 0 && !compiled.isPure) await this.#record();
    try {
      const output = toPlainData(await this.#call(compiled, input, sofar.iteration, attempts));
      if (isLargerThan(output, maxOutput)) throw this.#outputTooLarge(step.id);
      return this.#ended(step.id, sofar, {
        state: 'succeeded',
        attempts,
        input: toPlainData(input),
        ...(output === undefined ? {} : { output }),
      });
    } catch (thrown) {
      const error = PatchbayError.from(thrown);
      // Nothing is known to have failed: the attempt is made again, under the same key.
      if (error.code !== 'flow.timeout' && (this.run.signal.aborted || error.code === 'step.cancelled'))
        return undefined;
      return this.#afterError(compiled, error, sofar, toPlainData(input));
    }
  }

  #call({ step, items }: CompiledStep, input: unknown, iteration: number, attempt: number): Promise<unknown> {
    const key = `${this.run.run.id}-${step.id}`;
    const call = (signal: AbortSignal) =>
      this.run.call({
        step: step.id,
        uses: step.uses,
        connection: step.connection,
        input,
        idempotencyKey: items ? `${key}-${iteration}` : key,
        attempt,
        signal,
      });
    if (step.timeoutMs === undefined && this.#deadline === undefined) return call(this.run.signal);
    const flowMs = this.#deadline === undefined ? Infinity : this.#deadline - this.run.now().getTime();
    const stepMs = step.timeoutMs ?? Infinity;
    const raise = () => (flowMs <= stepMs ? this.#flowTimeout() : stepTimeout(step.id, stepMs));
    return callWithin(Math.min(flowMs, stepMs), call, this.run.signal, raise);
  }

  // ---------------------------------------------------------------- journal

  #afterError({ step }: CompiledStep, error: PatchbayError, sofar: SoFar, input?: unknown): JournalEntry {
    // Being asked to wait is not a failure of the step, and neither is lack of time.
    const attempts = error.retry === 'after' || error.code === 'flow.timeout' ? sofar.attempts : sofar.attempts + 1;
    const now = this.run.now().getTime();
    const isFinal =
      error.retry === 'never' ||
      attempts >= step.retry.attempts ||
      (error.retry === 'after' && error.connection === undefined && this.#isTooOld(now, sofar));
    const delayMs = error.retryAfterMs ?? retryDelayMs(step.retry, Math.max(attempts, 1), this.random);
    return this.#ended(step.id, sofar, {
      state: isFinal ? 'failed' : 'retrying',
      attempts,
      error: {
        code: error.code,
        message: error.detail,
        ...(error.fix === undefined ? {} : { fix: error.fix }),
        ...(error.connection === undefined ? {} : { connection: error.connection }),
      },
      ...(input === undefined ? {} : { input }),
      ...(isFinal ? {} : { retryAt: new Date(now + delayMs) }),
    });
  }

  #isTooOld(now: number, sofar: SoFar): boolean {
    const since = this.run.line === 'onReverted' ? sofar.startedAt : this.run.run.createdAt;
    return now - since.getTime() >= maxAgeMs;
  }

  #ended(step: string, sofar: SoFar, end: Partial<JournalEntry> & Pick<JournalEntry, 'state'>): JournalEntry {
    return { step, ...sofar, finishedAt: this.run.now(), ...end };
  }

  #keep(entry: JournalEntry): JournalEntry {
    this.#journal.set(keyOf(entry.step, entry.iteration), entry);
    this.#unrecorded.push(entry);
    return entry;
  }

  async #record(): Promise<void> {
    const entries = this.#unrecorded;
    await this.run.record(entries);
    this.#unrecorded = [];
  }

  #scope(attempt: number, repetition: Repetition = {}): Scope {
    const { event, run, env } = this.run;
    return {
      event,
      steps: this.#outputs,
      run: { id: run.id, attempt, ...(this.#error ? { error: this.#error } : {}) },
      flow: { name: this.flow.name },
      env,
      ...repetition,
    };
  }

  /** Steps that deal with the end of a run refer to what it did. */
  #restoreOutputs(): void {
    for (const { step, items } of this.lines.steps) {
      const entries = this.#entriesOf(step.id);
      if (entries.some(({ state }) => state === 'failed' || state === 'retrying')) continue;
      if (items) this.#outputs[step.id] = entries.map((entry) => entry.output ?? null);
      else if (entries[0]?.state === 'succeeded') this.#outputs[step.id] = entries[0].output;
    }
  }

  #entriesOf(step: string): readonly JournalEntry[] {
    const entries = [...this.#journal.values()].filter((entry) => entry.step === step);
    return entries.sort((a, b) => a.iteration - b.iteration);
  }

  #flowTimeout(): PatchbayError {
    return new PatchbayError('flow.timeout', {
      detail: `The run took longer than the ${this.flow.timeoutMs ?? 0} ms that ${this.flow.name} allows.`,
      fix: 'Raise timeout in the flow, or look for the step that takes so long.',
    });
  }

  #outputTooLarge(step: string): PatchbayError {
    return new PatchbayError('step.outputTooLarge', {
      detail: `The output of step ${step} of ${this.flow.name} is larger than 64 kB.`,
      fix: 'Ask for less, e.g. fewer fields or records.',
    });
  }
}

interface Repetition {
  readonly item?: unknown;
  readonly index?: number;
}

interface SoFar {
  readonly iteration: number;
  readonly attempts: number;
  /** When the first attempt began. */
  readonly startedAt: Date;
}

/** A run that is out of time goes on with none of its steps. */
function isFatal(step: Step, entry: JournalEntry): boolean {
  return entry.state === 'failed' && (step.onError === 'stop' || entry.error?.code === 'flow.timeout');
}

function keyOf(step: string, iteration: number): string {
  return iteration === 0 ? step : `${step}:${iteration}`;
}

function earliest(entries: readonly JournalEntry[]): JournalEntry | undefined {
  const time = (entry: JournalEntry) => entry.retryAt?.getTime() ?? 0;
  return entries.reduce<JournalEntry | undefined>(
    (first, entry) => (first && time(first) <= time(entry) ? first : entry),
    undefined,
  );
}

function errorOf(entry: JournalEntry): StepError {
  return entry.error ?? { code: 'internal', message: 'The journal does not say why the step failed.' };
}

function stepTimeout(step: string, ms: number): PatchbayError {
  return new PatchbayError('step.timeout', {
    detail: `The step ${step} took longer than ${ms} ms.`,
    fix: 'Raise timeout of the step, if it needs the time.',
  });
}
