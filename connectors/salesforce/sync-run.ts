import { setTimeout as delay } from 'node:timers/promises';
import { encodeCall, getFragment, hashOf, sendAndWait, type SendRequest } from '#evm';
import { PatchbayError, type SyncLedger, type SyncRow, type SyncScope } from '#sdk';
import type { ChainBlock, ChainCall, ChainEntry, SyncChain } from './sync-chain.js';
import { isWritten, namesOf, unsent, unwritten, writtenBy, type Intent, type Kept } from './sync-intent.js';
import type { Joint, SyncMapping } from './sync-mapping.js';
import {
  isNothing,
  merge,
  nothingWritten,
  type Agreement,
  type MergeInput,
  type MergePlan,
  type RecordWrite,
} from './sync-merge.js';
import { cell, type SyncRecord, type SyncRecords } from './sync-records.js';
import type { Translation, Value } from './sync-values.js';

export interface SyncParts {
  readonly scope: SyncScope;
  readonly mapping: SyncMapping;
  readonly joints: readonly Joint[];
  readonly plan: MergePlan;
  /** By name of the field. */
  readonly translations: ReadonlyMap<string, Translation>;
  readonly records: SyncRecords;
  readonly chain: SyncChain;
  readonly ledger: SyncLedger;
  /** Whose limits its transactions count towards. */
  readonly origin: string;
}

export interface SyncWish {
  /** Names whoever asks, the same on each attempt. */
  readonly owner: string;
  readonly isReverted?: boolean;
  /** False: a transaction is handed over and not waited for; what comes after it, its own event begins. */
  readonly waits: boolean;
  readonly pass?: string;
}

export interface SyncResult {
  readonly outcome: 'agreed' | 'synced' | 'sent';
  readonly record?: RecordWrite['kind'];
  /** Of the record. */
  readonly fields: readonly string[];
  /** Functions that were called. */
  readonly functions: readonly string[];
  readonly transactions: readonly string[];
}

/** What both sides have of one key. */
export interface Present {
  readonly entry: ChainEntry;
  readonly record: SyncRecord | undefined;
}

/** A key that was taken, as the ledger has it now. */
interface Held {
  row: SyncRow;
}

const takeWithinMs = 1_000;
const takeEveryMs = 40;
const busyMs = 500;
const mostRounds = 6;

/**
 * Makes both sides agree on one key. It reads what is there now and trusts no event, notes what it is about to do before
 * it does it, and ends only when there is nothing left to do: done again at any time, by anybody, it does no harm.
 */
export class RecordSync {
  constructor(readonly parts: SyncParts) {}

  /**
   * @throws evm.pending while a transaction is on its way; hub.busy while the key is in other hands
   */
  async sync(key: string, wish: SyncWish, signal: AbortSignal): Promise<SyncResult> {
    const { ledger, scope } = this.parts;
    const held = { row: await this.#take(key, wish.owner, signal) };
    try {
      return await this.#agree(held, wish, signal);
    } catch (thrown) {
      const error = PatchbayError.from(thrown);
      if (error.retry === 'never') {
        const { code, detail: message, fix } = error;
        await ledger.settle(scope, key, {
          state: 'failed',
          error: { code, message, ...(fix !== undefined && { fix }) },
          owner: wish.owner,
          revision: held.row.revision,
          ...(wish.pass !== undefined && { pass: wish.pass }),
        });
      }
      throw error;
    } finally {
      await ledger.release(scope, key, wish.owner);
    }
  }

  /** What would have to be done; undefined agreement: the two sides never met. */
  compare(present: Present, agreed: Agreement | undefined, more: Partial<MergeInput> = {}) {
    return merge(this.parts.plan, { ...this.inputOf(present), agreed, ...more });
  }

  inputOf({ entry, record }: Present): Pick<MergeInput, 'chain' | 'salesforce' | 'isMarked'> {
    const { joints, mapping } = this.parts;
    const chain = entry.exists
      ? Object.fromEntries(joints.map(({ salesforce, chain: name }) => [salesforce, entry.values[name] ?? null]))
      : undefined;
    const { mark } = mapping.deletes;
    return {
      chain,
      salesforce: record && this.valuesOf(record),
      ...(mark !== undefined && record !== undefined && { isMarked: cell(record.row, mark) === true }),
    };
  }

  valuesOf({ row }: Pick<SyncRecord, 'row'>): Record<string, Value> {
    const values = [...this.parts.translations].map(([name, { fromRow }]) => [name, fromRow(cell(row, name))] as const);
    return Object.fromEntries(values);
  }

  async #take(key: string, owner: string, signal: AbortSignal): Promise<SyncRow> {
    const { ledger, scope } = this.parts;
    for (const until = performance.now() + takeWithinMs; ;) {
      const row = await ledger.take(scope, key, owner);
      if (row !== undefined) return row;
      if (performance.now() > until || signal.aborted) break;
      await delay(takeEveryMs, undefined, { signal }).catch(() => undefined);
    }
    throw new PatchbayError('hub.busy', { detail: `${key} is being brought in order already`, retryAfterMs: busyMs });
  }

  async #agree(held: Held, wish: SyncWish, signal: AbortSignal): Promise<SyncResult> {
    const { ledger, scope, chain } = this.parts;
    const { row } = held;
    const { key } = row;
    const report = new Report();
    // What lies in the ledger was put there by this file.
    let agreed = row.agreed as Kept | undefined;
    let written = nothingWritten;
    let least = 0;
    if (row.intent !== undefined) {
      const resumed = await this.#resume(row, row.intent as Intent, wish, report, signal);
      if (resumed === undefined) return report.result('sent');
      ({ agreed, written, least } = resumed);
    }
    for (let round = 0; round < mostRounds; round += 1) {
      const block = await chain.block(signal);
      this.#checkBlock(block, least, wish.isReverted === true ? undefined : agreed);
      const [entry, record] = await Promise.all([
        chain.read(key, block, signal),
        this.parts.records.byKey(key, signal),
      ]);
      const present = { entry, record };
      const more = { written, ...(wish.isReverted && { isReverted: true }) };
      let merged = this.compare(present, agreed, more);
      if (merged.needsNewest) {
        const newest = await this.#newest(key, record, agreed, block, signal);
        merged = this.compare(present, agreed, { ...more, newest });
      }
      const after: Kept = { ...merged.agreed, block: Math.max(block.number, least) };
      if (isNothing(merged)) {
        await ledger.settle(scope, key, {
          state: 'agreed',
          agreed: after,
          recordId: record?.id ?? null,
          owner: wish.owner,
          revision: held.row.revision,
          ...(wish.pass !== undefined && { pass: wish.pass }),
        });
        return report.result('synced');
      }
      const intent: Intent = {
        calls: merged.toChain ? chain.callsFor(key, merged.toChain, entry, this.parts.joints) : [],
        toSalesforce: merged.toSalesforce,
        base: record && this.valuesOf(record),
        columns: merged.toChain?.kind === 'set' ? Object.keys(merged.toChain.values) : [],
        before: agreed,
        after,
      };
      held.row = await ledger.intend(scope, held.row, intent);
      await this.#write(key, intent, record, report, signal);
      const mined = await this.#send(held.row, intent, wish, report, signal);
      if (mined === undefined) return report.result('sent');
      agreed = after;
      least = Math.max(least, mined);
      written = writtenBy(intent, this.parts.mapping);
    }
    throw new PatchbayError('salesforce.policy', {
      detail: `${key}: the two sides change what the other one has written, again and again`,
      fix: 'A rule of the org and the contract want different values: let one of them win with direction:.',
    });
  }

  /** Goes on with what an earlier attempt, or somebody else, has begun; undefined: it is under way. */
  async #resume(row: SyncRow, intent: Intent, wish: SyncWish, report: Report, signal: AbortSignal) {
    const record = await this.parts.records.byKey(row.key, signal);
    const hasLanded = isWritten(
      intent,
      record && { row: record.row, values: this.valuesOf(record) },
      this.parts.mapping,
    );
    const names = intent.toSalesforce === undefined ? [] : namesOf(intent.toSalesforce, this.parts.mapping);
    let agreed: Kept | undefined = hasLanded ? intent.after : unwritten(intent, names);
    let mined: number | undefined;
    try {
      mined = await this.#send(row, intent, wish, report, signal);
    } catch (thrown) {
      const error = PatchbayError.from(thrown);
      if (error.retry === 'never') {
        agreed = unsent({ ...intent, after: agreed ?? intent.after });
        const { key, revision } = row;
        const { ledger, scope } = this.parts;
        await ledger.settle(scope, key, {
          ...{ state: 'failed', owner: wish.owner, revision },
          ...(agreed && { agreed }),
        });
      }
      throw error;
    }
    if (mined === undefined) return undefined;
    // Who else has written the record since is not known, so none of its values counts as the org's answer.
    return { agreed, least: mined, written: { ...nothingWritten, chain: new Set(intent.columns) } };
  }

  async #write(
    key: string,
    { toSalesforce }: Intent,
    record: SyncRecord | undefined,
    report: Report,
    signal: AbortSignal,
  ): Promise<void> {
    if (toSalesforce === undefined) return;
    const { records, mapping, translations } = this.parts;
    if (toSalesforce.kind === 'delete') {
      if (record !== undefined) await records.delete(record.id, signal);
    } else {
      const fields: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(toSalesforce.fields)) {
        fields[name] = translations.get(name)?.toRow(value) ?? null;
      }
      if (toSalesforce.mark !== undefined && mapping.deletes.mark !== undefined) {
        fields[mapping.deletes.mark] = toSalesforce.mark;
      }
      if (record === undefined) await records.create(key, fields, signal);
      else await records.update(record.id, fields, signal);
    }
    report.record = toSalesforce.kind;
    report.fields.push(...namesOf(toSalesforce, mapping));
  }

  /** @returns the block of the last one; undefined when they are on their way and nobody waits */
  async #send(
    { key, revision }: SyncRow,
    { calls }: Intent,
    { waits }: SyncWish,
    report: Report,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (calls.length === 0) return 0;
    const { chain, scope } = this.parts;
    let mined = 0;
    const requests = calls.map((call, index) =>
      this.#request(call, `sync:${scope.sync}:${scope.identity}:${key}:${revision}:${index}`),
    );
    // All of them get their places before one is waited for.
    if (requests.length > 1) {
      for (const request of requests) await sendAndWait(chain.network, request, { wait: 'accepted', signal });
    }
    for (const [index, request] of requests.entries()) {
      const record = await sendAndWait(chain.network, request, { wait: waits ? 'confirmed' : 'accepted', signal });
      report.functions.push(calls[index]?.function ?? '');
      report.transactions.push(hashOf(record) ?? record.id);
      mined = Math.max(mined, record.place?.blockNumber ?? 0);
    }
    return waits ? mined : undefined;
  }

  #request({ function: name, args }: ChainCall, idempotencyKey: string): SendRequest {
    const { chain, mapping, origin } = this.parts;
    const { abi, address, name: contract } = chain.contract;
    const fragment = getFragment(abi, 'function', name);
    return {
      idempotencyKey,
      signer: mapping.chain.from ?? '',
      to: address,
      data: encodeCall(fragment, args),
      value: 0n,
      finality: chain.network.finalityOf(mapping.chain.confirmations),
      abi,
      about: { contract: contract ?? address, function: name, args },
      origin,
    };
  }

  async #newest(
    key: string,
    record: SyncRecord | undefined,
    agreed: Kept | undefined,
    block: ChainBlock,
    signal: AbortSignal,
  ): Promise<'chain' | 'salesforce'> {
    const from = agreed === undefined ? this.parts.mapping.chain.fromBlock : agreed.block + 1;
    const at = await this.parts.chain.changedAt(key, from, block.number, signal);
    const onChain = at === undefined ? block.timestamp : Math.floor(Date.parse(at) / 1_000);
    const inSalesforce = Math.floor(Date.parse(record?.modifiedAt ?? '') / 1_000);
    // Both count in seconds: of the same one the chain is believed.
    return inSalesforce > onChain ? 'salesforce' : 'chain';
  }

  /** A node that lags behind would show what was there before, as if somebody had changed it back. */
  #checkBlock({ number }: ChainBlock, least: number, agreed: Kept | undefined): void {
    const { network } = this.parts.chain;
    const needed = network.isDevelopment ? least : Math.max(least, agreed?.block ?? 0);
    if (number >= needed) return;
    throw new PatchbayError('evm.pending', {
      detail: `The node of ${network.name} is at block ${number}, and ${needed} was seen already`,
      retryAfterMs: 1_000,
    });
  }
}

class Report {
  record: RecordWrite['kind'] | undefined;
  readonly fields: string[] = [];
  readonly functions: string[] = [];
  readonly transactions: string[] = [];

  result(outcome: 'synced' | 'sent'): SyncResult {
    const { record, fields, functions, transactions } = this;
    const isNothingDone = record === undefined && functions.length === 0;
    return {
      outcome: isNothingDone ? 'agreed' : outcome,
      ...(record !== undefined && { record }),
      fields,
      functions,
      transactions,
    };
  }
}
