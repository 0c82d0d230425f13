import { setMaxListeners } from 'node:events';
import { PatchbayError } from '#sdk';

export interface RowWrite {
  readonly operation: 'create' | 'update' | 'upsert' | 'delete';
  readonly object: string;
  /** For `upsert`: the external id field. */
  readonly matchOn?: string;
  /** The record: its id, or the value of the external id; absent for `create`. */
  readonly key?: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Saves although a duplicate rule warns, where the rule allows that. */
  readonly allowDuplicates?: boolean;
}

export interface RowOutcome {
  readonly id: string;
  readonly created: boolean;
}

export interface GathererOptions {
  /** Carries out rows of one kind, at most 200; each outcome is at the place of its row. */
  readonly send: (rows: readonly RowWrite[], signal: AbortSignal) => Promise<readonly (RowOutcome | PatchbayError)[]>;
  /** How long the first row waits for others. */
  readonly windowMs: number;
}

interface Waiting {
  readonly row: RowWrite;
  readonly since: number;
  readonly resolve: (outcome: RowOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Group {
  readonly waiting: Set<Waiting>;
  /** Records that are being written. */
  readonly busy: Set<string>;
  calls: number;
  timer: NodeJS.Timeout | undefined;
}

const rowsPerCall = 200;
const callsAtOnce = 4;
// While a call is under way, rows gather for the next one, but not for ever.
const longestWaitMs = 100;

/**
 * Gathers the writes of many runs into few calls. Rows of one operation on one object that come within a short window
 * go together; while a call is under way, those that come meanwhile wait for its end, so that a call carries more rows
 * the busier the org is. Two writes of the same record are never in one call nor in two at once, and keep their order.
 */
export class WriteGatherer {
  readonly #options: GathererOptions;
  readonly #groups = new Map<string, Group>();
  readonly #closing = new AbortController();

  constructor(options: GathererOptions) {
    this.#options = options;
    // Every call under way listens to it, and so does what the call itself waits for.
    setMaxListeners(0, this.#closing.signal);
  }

  /** @throws what became of this row, whatever became of the others; step.cancelled when the caller gave up */
  write(row: RowWrite, signal: AbortSignal): Promise<RowOutcome> {
    const name = groupName(row);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { waiting: new Set(), busy: new Set(), calls: 0, timer: undefined };
      this.#groups.set(name, group);
    }
    const { waiting } = group;
    return new Promise<RowOutcome>((resolve, reject) => {
      const giveUp = () => {
        waiting.delete(entry);
        entry.reject(cancelled(row, signal.reason));
      };
      const entry: Waiting = {
        row,
        since: performance.now(),
        resolve: (outcome) => {
          signal.removeEventListener('abort', giveUp);
          resolve(outcome);
        },
        reject: (error) => {
          signal.removeEventListener('abort', giveUp);
          // What arrives here is what the caller's own call would have thrown.
          reject(error);
        },
      };
      if (signal.aborted || this.#closing.signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.add(entry);
      // The clock runs for an older row already; looking at all that wait for each that comes would not pay.
      if (group.timer === undefined || waiting.size >= rowsPerCall) this.#arrange(name, group);
    });
  }

  close(): void {
    this.#closing.abort();
    for (const group of this.#groups.values()) {
      clearTimeout(group.timer);
      for (const entry of group.waiting) entry.reject(cancelled(entry.row, undefined));
      group.waiting.clear();
    }
    this.#groups.clear();
  }

  /** Sends what is due, and sets the clock for what is not. */
  #arrange(name: string, group: Group): void {
    clearTimeout(group.timer);
    group.timer = undefined;
    const now = performance.now();
    while (group.calls < callsAtOnce) {
      const rows = takeable(group);
      const [oldest] = rows;
      if (oldest === undefined) break;
      const patienceMs = group.calls === 0 ? this.#options.windowMs : Math.max(longestWaitMs, this.#options.windowMs);
      const leftMs = oldest.since + patienceMs - now;
      if (rows.length < rowsPerCall && leftMs > 0) {
        group.timer = setTimeout(() => this.#arrange(name, group), Math.ceil(leftMs));
        return;
      }
      void this.#send(name, group, rows);
    }
    if (group.calls === 0 && group.waiting.size === 0) this.#groups.delete(name);
  }

  async #send(name: string, group: Group, entries: readonly Waiting[]): Promise<void> {
    group.calls += 1;
    for (const entry of entries) {
      group.waiting.delete(entry);
      if (entry.row.key !== undefined) group.busy.add(recordName(entry.row));
    }
    try {
      const outcomes = await this.#options.send(
        entries.map(({ row }) => row),
        this.#closing.signal,
      );
      entries.forEach((entry, index) => {
        const outcome = outcomes[index];
        if (outcome === undefined || outcome instanceof Error) entry.reject(outcome ?? noOutcome(entry.row));
        else entry.resolve(outcome);
      });
    } catch (error) {
      for (const entry of entries) entry.reject(error);
    }
    for (const { row } of entries) group.busy.delete(recordName(row));
    group.calls -= 1;
    this.#arrange(name, group);
  }
}

/** The rows that may go into a call now: the oldest ones, each record once and none that is being written. */
function takeable({ waiting, busy }: Group): Waiting[] {
  const rows: Waiting[] = [];
  const records = new Set<string>();
  for (const entry of waiting) {
    if (rows.length === rowsPerCall) break;
    if (entry.row.key !== undefined) {
      const record = recordName(entry.row);
      const isTaken = busy.has(record) || records.has(record);
      // Also when it is left out: a later write of the record must not overtake this one.
      records.add(record);
      if (isTaken) continue;
    }
    rows.push(entry);
  }
  return rows;
}

// Salesforce compares external ids without regard to case; of an id the first 15 characters tell it apart, with it.
function recordName({ operation, key = '' }: RowWrite): string {
  return operation === 'upsert' ? key.toLowerCase() : key.slice(0, 15);
}

function groupName({ operation, object, matchOn = '', allowDuplicates = false }: RowWrite): string {
  return [operation, object.toLowerCase(), matchOn.toLowerCase(), allowDuplicates].join(' ');
}

function cancelled({ operation, object }: RowWrite, cause: unknown): PatchbayError {
  if (cause instanceof PatchbayError) return cause;
  return new PatchbayError('step.cancelled', { detail: `The ${operation} of a ${object} was given up`, cause });
}

function noOutcome({ operation, object }: RowWrite): PatchbayError {
  return new PatchbayError('http.unreadable', {
    detail: `Salesforce did not say what became of the ${operation} of a ${object}`,
  });
}
