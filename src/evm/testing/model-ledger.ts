import { PatchbayError } from '#sdk';
import {
  isFinal,
  type NewAttempt,
  type StatusChange,
  type TransactionDraft,
  type TransactionRecord,
  type TransactionStatus,
  type TransactionStore,
} from '../transaction-store.js';

export interface StatusNote {
  readonly status: TransactionStatus;
  readonly reason: string | undefined;
}

/** The ledger of transactions in memory, by the rules of the one in PostgreSQL as far as one sender needs them. */
export class ModelLedger {
  readonly #rows = new Map<string, TransactionRecord>();
  readonly #notes = new Map<string, StatusNote[]>();
  #next: number | undefined;
  /** What becomes of the next call. */
  fault: 'isAway' | 'losesAnswer' | undefined;

  get rows(): readonly TransactionRecord[] {
    return [...this.#rows.values()].sort((one, other) => one.nonce - other.nonce);
  }

  history(id: string): readonly StatusNote[] {
    return this.#notes.get(id) ?? [];
  }

  /** @param lives – whether who asks is still there; one who is not gets no answers any more, and changes nothing */
  store(lives: () => boolean): TransactionStore {
    const lost = () => new Promise<never>(() => undefined);
    const door =
      <Args extends readonly unknown[], Answer>(work: (...args: Args) => Answer) =>
      async (...args: Args): Promise<Answer> => {
        await Promise.resolve();
        if (!lives()) return await lost();
        const { fault } = this;
        this.fault = undefined;
        if (fault === 'isAway') throw new PatchbayError('store.unavailable');
        const answer = structuredClone(work(...args));
        if (fault === 'losesAnswer') throw new PatchbayError('store.unavailable');
        return answer;
      };
    const open = () => this.rows.filter((row) => !isFinal(row));
    return {
      reserve: door((draft, chainNonce) => this.#reserve(draft, chainNonce)),
      findByKey: door((key) => this.rows.find(({ idempotencyKey }) => idempotencyKey === key)),
      find: door((ids) => this.rows.filter(({ id }) => ids.includes(id))),
      addAttempts: door((attempts) => this.#addAttempts(attempts)),
      markSent: door((sent, block) => this.#markSent(sent, block)),
      setStatus: door((changes) => {
        for (const change of changes) this.#setStatus(change);
      }),
      wish: door(() => false),
      grant: door(() => undefined),
      listWished: door(() => []),
      listUnfinished: door((_, __, after, limit) =>
        open()
          .filter(({ nonce }) => nonce > after)
          .slice(0, limit),
      ),
      listNonces: door((_, __, first, last) => this.rows.filter(({ nonce }) => nonce >= first && nonce <= last)),
      unfinishedSigners: door(() =>
        open()
          .slice(0, 1)
          .map(({ from, signer }) => ({ from, signer })),
      ),
      nextNonce: door(() => this.#next),
      fillNonce: door((draft, nonce) => {
        if (!this.rows.some((row) => row.nonce === nonce)) this.#insert(draft, nonce);
      }),
    };
  }

  #reserve(draft: TransactionDraft, chainNonce: number): TransactionRecord {
    const known = this.rows.find(({ idempotencyKey }) => idempotencyKey === draft.idempotencyKey);
    return known ?? this.#insert(draft, Math.max(this.#next ?? 0, chainNonce));
  }

  #insert(draft: TransactionDraft, nonce: number): TransactionRecord {
    const id = `transaction ${String(this.#rows.size)}`;
    const blank = { place: undefined, failure: undefined, wish: undefined, contractAddress: undefined, attempts: [] };
    const row: TransactionRecord = { ...draft, ...blank, id, nonce, status: 'reserved', createdAt: new Date() };
    this.#next = Math.max(this.#next ?? 0, nonce + 1);
    this.#change(row, 'reserved');
    return row;
  }

  #addAttempts(attempts: readonly { readonly id: string; readonly attempt: NewAttempt }[]): ReadonlySet<string> {
    const added = new Set<string>();
    for (const { id, attempt } of attempts) {
      const row = this.#rows.get(id);
      if (!row || row.attempts.some(({ number, hash }) => number === attempt.number || hash === attempt.hash)) continue;
      added.add(id);
      const kept = { ...attempt, sentBlock: undefined, sentAt: undefined };
      const changed = { ...row, attempts: [...row.attempts, kept] };
      if (row.status === 'reserved') this.#change(changed, 'signed');
      else this.#rows.set(id, changed);
    }
    return added;
  }

  #markSent(sent: readonly { readonly id: string; readonly attempt: number }[], block: number): void {
    for (const { id, attempt } of sent) {
      const row = this.#rows.get(id);
      if (!row) continue;
      const attempts = row.attempts.map((own) =>
        own.number === attempt ? { ...own, sentAt: new Date(), sentBlock: own.sentBlock ?? block } : own,
      );
      if (row.status === 'signed') this.#change({ ...row, attempts }, 'broadcast');
      else this.#rows.set(id, { ...row, attempts });
    }
  }

  #setStatus({ id, status: wanted, place, failure, reason, goneBlock }: StatusChange): void {
    const row = this.#rows.get(id);
    if (!row || isFinal(row)) return;
    const status = wanted === 'reserved' || wanted === 'signed' ? row.status : wanted;
    if (row.status === 'mined' && place === undefined && row.place?.blockHash !== goneBlock) return;
    if (row.status === status && (status === 'mined' ? row.place?.blockHash === place?.blockHash : !failure)) {
      if (this.history(id).at(-1)?.reason === reason) return;
    }
    this.#change({ ...row, place: place ?? row.place, failure: failure ?? row.failure }, status, reason);
  }

  #change(row: TransactionRecord, status: TransactionStatus, reason?: string): void {
    this.#rows.set(row.id, { ...row, status });
    this.#notes.set(row.id, [...this.history(row.id), { status, reason }]);
  }
}
