import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError } from '#sdk';
import { codeOfRow, refusal, salesforceCodeOf, type RowError } from './salesforce.errors.js';
import type { RestCall, SalesforceRest } from './salesforce.rest.js';
import type { RowOutcome, RowWrite } from './write-gatherer.js';

type Outcome = RowOutcome | PatchbayError;

interface RowResult {
  readonly id?: string;
  readonly success: boolean;
  readonly created?: boolean;
  readonly errors: readonly RowError[];
}

const lockedRowsAtOnce = 10;
// A field that the org does not know meets all rows that name it.
const codesOfFields = new Set(['INVALID_FIELD', 'INVALID_FIELD_FOR_INSERT_UPDATE']);

/**
 * Carries out rows of one operation on one object: a single one at its own address, several in a collection, each on
 * its own (`allOrNone` is false). A row that another one drags down is sent again without it.
 */
export class RowCalls {
  readonly #rest: SalesforceRest;
  readonly #lockWaitMs: () => number;

  constructor(rest: SalesforceRest, lockWaitMs: () => number = () => 200 + Math.random() * 600) {
    this.#rest = rest;
    this.#lockWaitMs = lockWaitMs;
  }

  /** @returns the outcomes at the places of their rows; it does not throw for what Salesforce refused */
  async send(rows: readonly RowWrite[], signal: AbortSignal): Promise<Outcome[]> {
    const [only] = rows;
    if (only !== undefined && rows.length === 1 && !isUnfitForAddress(only)) return [await this.#single(only, signal)];
    const outcomes = new Map<RowWrite, Outcome>();
    const again = await this.#collection(rows, outcomes, signal);
    if (again.length > 0) {
      // Rows that wait for the same parent lock each other out: after a pause they go a few at a time.
      await delay(this.#lockWaitMs(), undefined, { signal }).catch(() => undefined);
      for (let start = 0; start < again.length; start += lockedRowsAtOnce) {
        await this.#collection(again.slice(start, start + lockedRowsAtOnce), outcomes, signal);
      }
    }
    return rows.map((row) => outcomes.get(row) ?? unanswered(row));
  }

  async #single(row: RowWrite, signal: AbortSignal): Promise<Outcome> {
    const action = actionOf(row);
    try {
      const answer = await this.#rest.json<Partial<RowResult> | undefined>({ ...callOf(row), action }, signal);
      // Success is what `success` says: platform events carry an entry in `errors` although all is well.
      if (answer?.success === false) return refusal(answer.errors ?? [], { action });
      return { id: answer?.id ?? row.key ?? '', created: answer?.created ?? row.operation === 'create' };
    } catch (error) {
      return PatchbayError.from(error);
    }
  }

  /** @returns the rows that are worth sending again: locked ones, and those that others dragged down */
  async #collection(
    rows: readonly RowWrite[],
    outcomes: Map<RowWrite, Outcome>,
    signal: AbortSignal,
  ): Promise<RowWrite[]> {
    const [first] = rows;
    if (first === undefined) return [];
    let results: readonly RowResult[];
    try {
      results = await this.#rest.json<readonly RowResult[]>(
        { ...collectionOf(rows), action: `${verbs[first.operation]} ${rows.length} ${first.object} records` },
        signal,
      );
    } catch (error) {
      return this.#refused(PatchbayError.from(error), rows, outcomes, signal);
    }
    const again: RowWrite[] = [];
    rows.forEach((row, index) => {
      const result = results[index];
      if (result === undefined) return;
      if (result.success) {
        outcomes.set(row, {
          id: result.id ?? row.key ?? '',
          created: result.created ?? row.operation === 'create',
        });
        return;
      }
      outcomes.set(row, refusal(result.errors, { action: actionOf(row) }));
      const code = codeOfRow(result.errors[0]);
      if (code === 'UNABLE_TO_LOCK_ROW' || code === 'ALL_OR_NONE_OPERATION_ROLLED_BACK') again.push(row);
    });
    return again;
  }

  /** The call as a whole was refused. Where one row can be the reason, the others go without it. */
  async #refused(
    error: PatchbayError,
    rows: readonly RowWrite[],
    outcomes: Map<RowWrite, Outcome>,
    signal: AbortSignal,
  ): Promise<RowWrite[]> {
    const parts = partsWorthSending(error, rows);
    if (parts.length < 2) {
      for (const row of rows) outcomes.set(row, error);
      return [];
    }
    const again: RowWrite[] = [];
    for (const part of parts) again.push(...(await this.#collection(part, outcomes, signal)));
    return again;
  }
}

function partsWorthSending(error: PatchbayError, rows: readonly RowWrite[]): (readonly RowWrite[])[] {
  const theirs = salesforceCodeOf(error.cause) ?? '';
  if (codesOfFields.has(theirs)) {
    const byFields = new Map<string, RowWrite[]>();
    for (const row of rows) {
      const names = Object.keys(row.fields).sort().join();
      byFields.set(names, [...(byFields.get(names) ?? []), row]);
    }
    return [...byFields.values()];
  }
  if (error.code !== 'salesforce.data') return [rows];
  const middle = Math.ceil(rows.length / 2);
  return [rows.slice(0, middle), rows.slice(middle)].filter((part) => part.length > 0);
}

type BareCall = Omit<RestCall, 'action'>;

function callOf({ operation, object, matchOn, key = '', fields, allowDuplicates }: RowWrite): BareCall {
  const headers = duplicateHeaders(allowDuplicates);
  const url = `/sobjects/${object}`;
  if (operation === 'create') return { method: 'POST', url, body: fields, headers };
  if (operation === 'delete') return { method: 'DELETE', url: `${url}/${key}` };
  // jsforce puts the value into the URL as it is: `q?x=1` would be stored as `q`.
  const place = operation === 'upsert' ? `${matchOn}/${encodeURIComponent(key)}` : key;
  return { method: 'PATCH', url: `${url}/${place}`, body: fields, headers };
}

function collectionOf(rows: readonly RowWrite[]): BareCall {
  const { operation = 'create', object = '', matchOn = '', allowDuplicates } = rows[0] ?? {};
  const base = '/composite/sobjects';
  if (operation === 'delete') {
    return { method: 'DELETE', url: `${base}?ids=${rows.map(({ key }) => key).join(',')}&allOrNone=false` };
  }
  const records = rows.map(({ key, fields }) => ({
    attributes: { type: object },
    ...fields,
    ...(operation === 'update' && { Id: key }),
    ...(operation === 'upsert' && { [matchOn]: key }),
  }));
  return {
    method: operation === 'create' ? 'POST' : 'PATCH',
    url: operation === 'upsert' ? `${base}/${object}/${matchOn}` : base,
    body: { allOrNone: false, records },
    headers: duplicateHeaders(allowDuplicates),
  };
}

function duplicateHeaders(allowDuplicates = false): Record<string, string> {
  return allowDuplicates ? { 'sforce-duplicate-rule-header': 'allowSave=true' } : {};
}

/** A path ends at dots alone. */
function isUnfitForAddress({ operation, key = '' }: RowWrite): boolean {
  return operation === 'upsert' && /^\.{1,2}$/.test(key);
}

const verbs = { create: 'Creating', update: 'Updating', upsert: 'Upserting', delete: 'Deleting' } as const;

function actionOf({ operation, object, matchOn, key }: RowWrite): string {
  if (operation === 'create') return `Creating a ${object}`;
  return operation === 'upsert'
    ? `Upserting the ${object} with ${matchOn} ${key}`
    : `${verbs[operation]} the ${object} ${key}`;
}

function unanswered(row: RowWrite): PatchbayError {
  return new PatchbayError('http.unreadable', { detail: `${actionOf(row)}: Salesforce did not say what became of it` });
}
