import { defineService } from './service.js';

/** Where another side says later what it could not say at once. */
export interface Resumption {
  /** It is told to nobody else: whoever knows it may answer, once. */
  readonly url: string;
  /** False: it was opened before, by an earlier attempt. */
  readonly isNew: boolean;
  readonly state: 'waiting' | 'answered' | 'expired';
  /** Of one that is answered: exactly one of the two. */
  readonly answer?: { readonly value: unknown } | { readonly error: string };
}

export interface OracleResumptions {
  /** The same for the same key, also after a restart. */
  open(key: string, expiresInMs: number): Promise<Resumption>;
}

/** Answers of external adapters that come later. */
export const oracleResumptions = defineService<OracleResumptions>('oracle.resumptions');

export interface OracleKept {
  find(key: string): Promise<string | undefined>;
  /** In place of what was kept under the key before; for a month. */
  keep(key: string, content: string): Promise<void>;
}

/** What a step has found out, for its next attempt. */
export const oracleKept = defineService<OracleKept>('oracle.kept');

export interface OracleTurns {
  /**
   * One place in a line of which one is served at a time. The same key keeps its place.
   *
   * @returns how long to wait for it; 0: now
   */
  take(turn: { readonly line: string; readonly key: string; readonly everyMs: number }): Promise<number>;
}

/** Limits of another side that are kept on this side, by all processes together. */
export const oracleTurns = defineService<OracleTurns>('oracle.turns');
