import { defineService } from './service.js';

/** What a sync remembers of one key: what both sides agreed on last, and what is being done about it. */
export interface SyncRow {
  readonly key: string;
  /** Id of the record on the other side, once it is known. */
  readonly recordId: string | undefined;
  /** Grows with every intent; what is done for one intent is named by it. */
  readonly revision: number;
  /** As its writer gave it; undefined: the two sides never agreed on anything. */
  readonly agreed: object | undefined;
  /** Noted before it was done, and not yet known to be done. */
  readonly intent: object | undefined;
}

export type SyncRowState = 'agreed' | 'differing' | 'failed';

/** What became of a key. What is left out stays as it is. */
export interface SyncSettlement {
  readonly state: SyncRowState;
  readonly recordId?: string | null;
  readonly agreed?: object;
  /** Why it failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly fix?: string };
  /** The pass that has looked at it. */
  readonly pass?: string;
  /** Whoever had taken the key gives it back in the same breath. Absent: one who only looked, and changes nothing that is begun. */
  readonly owner?: string;
  /** Of the row as the owner knows it: where something was begun since, by whomever, nothing changes. */
  readonly revision?: number;
}

/** What a pass has seen of a key that needs nothing. */
export interface SyncSighting {
  readonly key: string;
  /** Of the row that it was compared with; 0: there was none. */
  readonly revision: number;
  readonly recordId: string | undefined;
  readonly agreed: object;
}

/** Which rows belong together; rows that were made for another scope of the same sync count as unknown. */
export interface SyncScope {
  readonly sync: string;
  /** Changes with what makes the rows of the sync comparable: the object, the contract and the key. */
  readonly identity: string;
}

/** How far a pass over both sides has come. */
export interface SyncPass {
  readonly id: string;
  /** The first one after the selection has changed brings both sides together; later ones look for what drifted. */
  readonly kind: 'backfill' | 'check';
  /** The writer's own. */
  readonly place: object | undefined;
  readonly counts: SyncCounts;
  readonly startedAt: Date;
}

export interface SyncCounts {
  readonly done: number;
  /** As far as it is known. */
  readonly total: number;
  readonly agreed: number;
  readonly differing: number;
  readonly repaired: number;
  readonly failed: number;
}

/** Keeps what a sync has to remember, so that neither a lost hint nor a crash makes the two sides differ for good. */
export interface SyncLedger {
  /**
   * Takes a key for one who is about to compare and write; the same owner may take it again.
   *
   * @returns undefined while somebody else has it
   */
  take(scope: SyncScope, key: string, owner: string): Promise<SyncRow | undefined>;
  /**
   * Notes what is about to be done. When it has returned, it is known after any crash.
   *
   * @throws hub.busy when something was begun since the row was read; salesforce.policy when the two sides overrule each
   * other again and again
   */
  intend(scope: SyncScope, row: Pick<SyncRow, 'key' | 'revision'>, intent: object): Promise<SyncRow>;
  /** Ends the intent. */
  settle(scope: SyncScope, key: string, settlement: SyncSettlement): Promise<void>;
  release(scope: SyncScope, key: string, owner: string): Promise<void>;
  /** As if the key had never been heard of. */
  forget(scope: SyncScope, key: string): Promise<void>;
  find(
    scope: SyncScope,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, SyncRow & { readonly pass: string | undefined }>>;
  /** Keeps what a pass has seen, but for keys that somebody has begun to write meanwhile. @returns how many it kept */
  adopt(scope: SyncScope, pass: string, seen: readonly SyncSighting[]): Promise<number>;
  /** The key of a record, if it is known. */
  keyOf(scope: SyncScope, recordId: string): Promise<string | undefined>;
  /** Keys after one, in their order, that a pass has not looked at, or whose intent is open. */
  unseen(scope: SyncScope, pass: string, after: string, limit: number): Promise<readonly string[]>;
  /** The pass that is under way, or a new one. `selection` changes with whatever makes a backfill necessary. */
  openPass(scope: SyncScope, selection: string, run: string): Promise<SyncPass>;
  savePass(scope: SyncScope, pass: Pick<SyncPass, 'id' | 'place' | 'counts'>): Promise<void>;
  endPass(scope: SyncScope, pass: Pick<SyncPass, 'id' | 'counts'>): Promise<void>;
}

export const syncLedger = defineService<SyncLedger>('sync.ledger');
