import { errorCodes, type ErrorCode, type RetryAdvice } from './error-codes.js';

/** One fault in something a person wrote, with its place: RFC 6901 pointer, and 1-based line and column where known. */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
  readonly fix?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The rule that was broken, e.g. `unknown-input`. */
  readonly rule?: string;
  /** A warning tells of a risk and stops nothing. Default: error. */
  readonly severity?: 'error' | 'warning';
}

/** What a contract refused a call with, as its ABI names it; values as outputs of functions are. */
export interface ContractError {
  readonly name: string;
  /** With its types, e.g. `TooMany(uint256,uint256)`. */
  readonly signature: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface PatchbayErrorOptions {
  /** What happened, to what: the bad value included, unless it is a secret. */
  readonly detail?: string;
  /** What the reader can do about it. */
  readonly fix?: string;
  readonly cause?: unknown;
  /** For codes with retry `after`: how long the other side wants to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
  /** Every fault at once, when there are several. */
  readonly faults?: readonly Fault[];
  /** For `connection.waiting`: the connection that has to be let in again. */
  readonly connection?: string;
  /** For `evm.reverted`, where the contract said it in a form that is known. */
  readonly contractError?: ContractError | undefined;
}

/** The only error class of Patchbay; what is not one is treated as `internal` and tried again. */
export class PatchbayError extends Error {
  override readonly name = 'PatchbayError';
  readonly detail: string;
  readonly fix: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly faults: readonly Fault[];
  readonly connection: string | undefined;
  readonly contractError: ContractError | undefined;

  constructor(
    readonly code: ErrorCode,
    options: PatchbayErrorOptions = {},
  ) {
    const detail = options.detail ?? errorCodes[code].title;
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.detail = detail;
    this.fix = options.fix;
    this.retryAfterMs = options.retryAfterMs;
    this.faults = options.faults ?? [];
    this.connection = options.connection;
    this.contractError = options.contractError;
  }

  get title(): string {
    return errorCodes[this.code].title;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }

  get retry(): RetryAdvice {
    return errorCodes[this.code].retry;
  }

  /** Whatever was thrown, as a PatchbayError; unknown things become `internal` and keep their cause. */
  static from(thrown: unknown): PatchbayError {
    if (thrown instanceof PatchbayError) return thrown;
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return new PatchbayError('internal', { detail, cause: thrown });
  }
}
