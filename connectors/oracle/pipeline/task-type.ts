import type { Task } from './graph.js';
import type { Params } from './params.js';
import type { Ports } from './ports.js';
import type { Value } from './value.js';

/** What the job says about itself. */
export interface Job {
  readonly externalJobID: string | undefined;
  readonly name: string | undefined;
  readonly evmChainID: string | undefined;
  readonly gasLimit: string | undefined;
  /** For every task that has no time-out of its own; 0 and undefined: none. */
  readonly maxTaskDurationMs: number | undefined;
}

/** One task that is to be done now. */
export interface TaskCall {
  readonly task: Task;
  readonly params: Params;
  readonly job: Job;
  /** What bridges are told about the run; undefined: nothing. */
  readonly meta: Value | undefined;
  /** What the task itself says, in milliseconds; 0: it may take for ever. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
  readonly ports: Ports;
}

/** A fault that can be seen before anything runs. */
export interface Problem {
  readonly attribute: string;
  readonly detail: string;
  readonly fix?: string;
}

export interface TaskType {
  /** Beside those that every task may have. */
  readonly attributes: readonly string[];
  readonly required?: readonly string[];
  /** Tasks that may be drawn before it. Default: any number. */
  readonly mostInputs?: number;
  /** It looks at errors of the tasks before it itself; others fail with them. */
  readonly toleratesFaults?: boolean;
  /** What is wrong with attributes that are no variables. */
  problems?(textOf: (attribute: string) => string | undefined): readonly Problem[];
  run(call: TaskCall): Promise<Value> | Value;
}
