import type { Fault } from '#sdk';

/** What the commands read of the answers of the REST API; times are RFC 3339 texts here. */
export interface FlowAnswer {
  readonly name: string;
  readonly description?: string;
  readonly file: string;
  readonly version: string;
  readonly state: 'running' | 'paused' | 'disabled';
  readonly trigger: string;
  readonly steps: readonly string[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  /** Only of one flow. */
  readonly document?: string;
}

export interface FlowsAnswer {
  readonly flows: readonly FlowAnswer[];
  readonly broken: readonly { readonly file: string; readonly faults: readonly Fault[] }[];
}

/** Of a chain: what its node can do, and what the hub makes of it. */
export interface NetworkAnswer {
  readonly name: string;
  readonly chainId: number;
  readonly client: string;
  readonly head: { readonly number: number; readonly ageSeconds: number };
  readonly uses: {
    readonly receipts: 'byBlock' | 'byTransaction';
    readonly requests: 'batched' | 'single';
    readonly fees: 'eip1559' | 'legacy' | 'free';
    readonly finalized: 'tag' | 'blocksOnTop';
    readonly blocksOnTop: number;
  };
  readonly hints: readonly { readonly detail: string; readonly fix?: string }[];
}

export interface ErrorAnswer {
  readonly code?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly step?: string;
  readonly connection?: string;
}

export interface RunAnswer {
  readonly id: string;
  readonly flow: string;
  readonly version: string;
  readonly kind: string;
  readonly state: 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';
  readonly event: string;
  readonly parent: string | null;
  readonly orderingKey: string | null;
  readonly failedSteps: readonly string[];
  readonly error: ErrorAnswer | null;
  /** Absent in hubs from before there was such waiting. */
  readonly waitsFor?: { readonly connection: string } | null;
  readonly dueAt: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface StepAnswer {
  readonly step: string;
  readonly iteration: number;
  readonly state: 'succeeded' | 'failed' | 'skipped' | 'retrying';
  readonly attempts: number;
  readonly input: unknown;
  readonly output: unknown;
  readonly error: ErrorAnswer | null;
  readonly retryAt: string | null;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export interface RunDetailAnswer extends RunAnswer {
  readonly steps: readonly StepAnswer[];
  readonly data: unknown;
}

export interface PageAnswer<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface EventAnswer {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly data: unknown;
  readonly status: string;
  readonly runs: readonly RunAnswer[];
}

export interface ReplayAnswer {
  readonly events: number;
  readonly ignored: number;
  readonly runs: readonly string[];
  readonly calls: Readonly<Record<string, number>>;
}

export interface BackfillAnswer {
  readonly id: string;
  readonly flow: string;
  readonly state: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly from: string;
  readonly to: string | null;
  readonly startsRuns: boolean;
  readonly done: number;
  readonly total: number;
  readonly events: number;
  readonly error: ErrorAnswer | null;
}

export interface TriggerAnswer {
  readonly id: string;
  readonly uses: string;
  readonly connection: string | null;
  readonly cursor: string | null;
  readonly error: ErrorAnswer | null;
  readonly heardAt: string | null;
  /** Absent in hubs from before there were any. */
  readonly incidents?: readonly { readonly at: string; readonly found: number; readonly emitted: number }[];
}

export interface ConnectionAnswer {
  readonly name: string;
  readonly connector: string;
  readonly origin: 'file' | 'store';
  readonly isDefault: boolean;
  readonly isOpen: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly needsAuthorisation?: { readonly reason: string; readonly fix?: string; readonly since: string };
}

export interface FieldAnswer {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly length?: number;
  readonly isWritable: boolean;
  readonly isRequired: boolean;
  readonly isKey: boolean;
}

export interface ObjectAnswer {
  readonly name: string;
  readonly fields: readonly FieldAnswer[];
  readonly sample: Readonly<Record<string, unknown>> | null;
}

export interface KeyAnswer {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  /** Only right after it was made. */
  readonly key?: string;
}

export interface AuditAnswer {
  readonly seq: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface ManualRunAnswer {
  readonly event: string;
  readonly runs: readonly string[];
  /** Of the runs, those that existed already: the same key was sent before. */
  readonly duplicates: number;
  /** Why the flow does not take the event. */
  readonly ignored?: string;
}

export interface FailureAnswer {
  readonly code: string;
  readonly detail: string;
}

export interface TransactionAnswer {
  readonly id: string;
  readonly chainId: number;
  readonly network: string | null;
  readonly signer: string;
  readonly from: string;
  readonly to: string | null;
  readonly nonce: number;
  readonly value: string;
  readonly about: { readonly contract?: string; readonly function?: string } | null;
  readonly origin: string | null;
  readonly status: string;
  readonly hash: string | null;
  readonly receipt: { readonly blockNumber: number; readonly gasUsed: string } | null;
  readonly contractAddress: string | null;
  readonly failure: FailureAnswer | null;
  readonly createdAt: string;
}

export interface TransactionDetailAnswer extends TransactionAnswer {
  readonly attempts: readonly {
    readonly number: number;
    readonly kind: string;
    readonly hash: string;
    readonly maxFee: string;
    readonly sentAt: string | null;
  }[];
  readonly history: readonly {
    readonly status: string;
    readonly at: string;
    readonly reason: string | null;
    readonly failure: FailureAnswer | null;
  }[];
}

export interface SuspensionsAnswer {
  readonly suspensions: readonly {
    readonly address: string;
    readonly chainId: number;
    readonly network: string | null;
    readonly reason: string;
  }[];
}

export interface SyncAnswer {
  readonly name: string;
  readonly description?: string;
  readonly file: string;
  readonly state: 'running' | 'paused' | 'disabled';
  readonly flows: readonly string[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  readonly counts: {
    readonly rows: number;
    readonly agreed: number;
    readonly differing: number;
    readonly failed: number;
    readonly open: number;
  };
  readonly pass: {
    readonly kind: 'backfill' | 'check';
    readonly state: 'running' | 'finished';
    readonly done: number;
    readonly total: number;
    readonly differing: number;
    readonly repaired: number;
    readonly failed: number;
    readonly startedAt: string;
    readonly finishedAt: string | null;
  } | null;
}

export interface SyncDetailAnswer extends SyncAnswer {
  readonly rows: readonly {
    readonly key: string;
    readonly state: 'agreed' | 'differing' | 'failed';
    readonly error: { readonly code: string; readonly message: string } | null;
  }[];
}
