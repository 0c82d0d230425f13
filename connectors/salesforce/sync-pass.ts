import { PatchbayError, type SyncCounts, type SyncPass, type SyncSighting } from '#sdk';
import { parseKey, type ChainBlock } from './sync-chain.js';
import { isNothing, type Agreement } from './sync-merge.js';
import { isMisfit, isStillMisfit, noteMisfit } from './sync-misfits.js';
import type { SyncRecord } from './sync-records.js';
import type { RecordSync } from './sync-run.js';

/** Records first, then the keys that only the chain knows, then what only the ledger remembers. */
interface Place {
  readonly phase: 'records' | 'chain' | 'rest';
  /** Id of the last record, or the last key. */
  readonly after: string;
  /** The block to go on with. */
  readonly block: number;
}

export interface PassOptions {
  /** Absent repair: differences are counted only. A backfill always mends. */
  readonly repair: boolean;
  /** Names the run, the same on each attempt. */
  readonly owner: string;
}

interface Pair {
  readonly key: string;
  readonly record: SyncRecord | undefined;
}

const keysPerPart = 200;
const writersAtOnce = 8;

/**
 * Looks at every key of both sides. It remembers how far it is, so that it goes on there after a crash; what changes
 * meanwhile is heard by the flows of the sync, and each comparison reads what is there now, so nothing is missed between.
 */
export class SyncEverything {
  readonly #sync: RecordSync;
  readonly #pass: SyncPass;
  readonly #options: PassOptions;
  readonly #counts: { -readonly [Name in keyof SyncCounts]: SyncCounts[Name] };
  #place: Place;

  constructor(sync: RecordSync, pass: SyncPass, options: PassOptions) {
    this.#sync = sync;
    this.#pass = pass;
    this.#options = options;
    this.#counts = { ...pass.counts };
    // What lies in the ledger was put there by this file.
    this.#place = (pass.place as Place | undefined) ?? {
      phase: 'records',
      after: '',
      block: sync.parts.mapping.chain.fromBlock,
    };
  }

  /** @throws evm.pending while transactions are on their way; begun again it goes on where it was */
  async run(signal: AbortSignal): Promise<SyncCounts> {
    const { ledger, scope } = this.#sync.parts;
    if (this.#place.phase === 'records') await this.#records(signal);
    if (this.#place.phase === 'chain') await this.#chain(signal);
    await this.#rest(signal);
    await ledger.endPass(scope, { id: this.#pass.id, counts: this.#counts });
    return this.#counts;
  }

  async #records(signal: AbortSignal): Promise<void> {
    const { records, chain, ledger, scope, mapping } = this.#sync.parts;
    this.#counts.total = Math.max(this.#counts.total, await records.count(signal));
    for (;;) {
      const page = await records.page(this.#place.after, signal);
      const last = page.at(-1);
      if (last === undefined) break;
      const pairs: Pair[] = [];
      for (const record of page) {
        const key = parseKey(record.key, chain.keyType);
        if (key !== undefined) {
          pairs.push({ key, record });
          continue;
        }
        await noteMisfit(this.#sync, record, this.#ownerOf(record.id), this.#pass.id);
        this.#counts.failed += 1;
        this.#counts.done += 1;
      }
      for (let at = 0; at < pairs.length; at += keysPerPart) {
        await this.#compare(pairs.slice(at, at + keysPerPart), await chain.block(signal), signal);
      }
      await this.#move({ ...this.#place, after: last.id });
    }
    this.#place = { phase: 'chain', after: '', block: mapping.chain.fromBlock };
    await ledger.savePass(scope, { id: this.#pass.id, place: this.#place, counts: this.#counts });
  }

  async #chain(signal: AbortSignal): Promise<void> {
    const { records, chain, ledger, scope } = this.#sync.parts;
    const { number: to } = await chain.block(signal);
    for await (const { keys, next } of chain.keysIn(this.#place.block, to, signal)) {
      for (let at = 0; at < keys.length; at += keysPerPart) {
        const some = keys.slice(at, at + keysPerPart);
        const known = await ledger.find(scope, some);
        const fresh = some.filter((key) => known.get(key)?.pass !== this.#pass.id);
        if (fresh.length === 0) continue;
        this.#counts.total = Math.max(this.#counts.total, this.#counts.done + fresh.length);
        const found = new Map<string, SyncRecord>();
        for (const record of await records.byKeys(fresh, signal)) {
          found.set(parseKey(record.key, chain.keyType) ?? '', record);
        }
        const pairs = fresh.map((key) => ({ key, record: found.get(key) }));
        await this.#compare(pairs, await chain.block(signal), signal);
      }
      await this.#move({ ...this.#place, block: next });
    }
    await this.#move({ phase: 'rest', after: '', block: to });
  }

  /** Keys that neither side told of, and those whose writing was begun and is not over. */
  async #rest(signal: AbortSignal): Promise<void> {
    const { ledger, scope } = this.#sync.parts;
    let waiting: PatchbayError | undefined;
    for (let after = ''; ;) {
      const keys = await ledger.unseen(scope, this.#pass.id, after, keysPerPart);
      const last = keys.at(-1);
      if (last === undefined) break;
      this.#counts.total = Math.max(this.#counts.total, this.#counts.done + keys.length);
      await inParallel(keys, async (key) => {
        try {
          if (isMisfit(this.#sync, key)) await this.#lookAgain(key, signal);
          else await this.#mend(key, true, signal);
        } catch (thrown) {
          waiting = PatchbayError.from(thrown);
        }
      });
      after = last;
    }
    await this.#move(this.#place);
    if (waiting !== undefined) throw waiting;
  }

  async #compare(pairs: readonly Pair[], block: ChainBlock, signal: AbortSignal): Promise<void> {
    const { chain, ledger, scope } = this.#sync.parts;
    const keys = pairs.map(({ key }) => key);
    const known = await ledger.find(scope, keys);
    const entries = await chain.readMany(keys, block, signal);
    const seen: SyncSighting[] = [];
    const differing: string[] = [];
    pairs.forEach(({ key, record }, index) => {
      const entry = entries[index];
      const row = known.get(key);
      if (row?.pass === this.#pass.id) return;
      const agreed = row?.agreed as Agreement | undefined;
      const merged =
        entry === undefined || entry instanceof PatchbayError || row?.intent !== undefined
          ? undefined
          : quietly(() => this.#sync.compare({ entry, record }, agreed));
      if (merged === undefined || !isNothing(merged)) return void differing.push(key);
      const { revision = 0 } = row ?? {};
      seen.push({ key, revision, recordId: record?.id, agreed: { ...merged.agreed, block: block.number } });
    });
    // The others are in somebody's hands, and come again at the end.
    const kept = await ledger.adopt(scope, this.#pass.id, seen);
    this.#counts.agreed += kept;
    this.#counts.done += kept;
    // What is under way is left for the end; here a key is looked at once.
    await inParallel(differing, (key) => this.#mend(key, false, signal).catch(rethrowUnlessWaiting));
  }

  async #mend(key: string, waits: boolean, signal: AbortSignal): Promise<void> {
    const { repair } = this.#options;
    if (!repair && this.#pass.kind === 'check') {
      await this.#note(key, waits, signal);
      return;
    }
    try {
      const wish = { owner: this.#ownerOf(key), waits, pass: this.#pass.id };
      const { outcome } = await this.#sync.sync(key, wish, signal);
      if (outcome === 'sent') return;
      if (outcome === 'synced') {
        this.#counts.differing += 1;
        this.#counts.repaired += 1;
      } else this.#counts.agreed += 1;
    } catch (thrown) {
      const error = PatchbayError.from(thrown);
      if (error.retry !== 'never') throw error;
      this.#counts.failed += 1;
    }
    this.#counts.done += 1;
  }

  /** At a record that did not fit when a change of it was heard. */
  async #lookAgain(id: string, signal: AbortSignal): Promise<void> {
    const how = { owner: this.#ownerOf(id), pass: this.#pass.id };
    this.#counts.done += 1;
    if (await isStillMisfit(this.#sync, id, how, signal)) this.#counts.failed += 1;
  }

  #ownerOf(key: string): string {
    return `${this.#options.owner}:${key}`;
  }

  /** Looks again before it says so: a change may have been under way. One that still is, is left for the end. */
  async #note(key: string, isLast: boolean, signal: AbortSignal): Promise<void> {
    const { chain, records, ledger, scope } = this.#sync.parts;
    const row = (await ledger.find(scope, [key])).get(key);
    if (row?.intent !== undefined && !isLast) return;
    this.#counts.done += 1;
    try {
      const entry = await chain.read(key, await chain.block(signal), signal);
      const record = await records.byKey(key, signal);
      const merged = this.#sync.compare({ entry, record }, row?.agreed as Agreement | undefined);
      const isInOrder = isNothing(merged);
      this.#counts[isInOrder ? 'agreed' : 'differing'] += 1;
      await ledger.settle(scope, key, { state: isInOrder ? 'agreed' : 'differing', pass: this.#pass.id });
    } catch (thrown) {
      const { code, detail: message, retry } = PatchbayError.from(thrown);
      if (retry !== 'never') throw thrown;
      this.#counts.failed += 1;
      await ledger.settle(scope, key, { state: 'failed', error: { code, message }, pass: this.#pass.id });
    }
  }

  async #move(place: Place): Promise<void> {
    const { ledger, scope } = this.#sync.parts;
    this.#place = place;
    await ledger.savePass(scope, { id: this.#pass.id, place, counts: this.#counts });
  }
}

/** Undefined where a value does not fit the other side: whoever writes it will say so. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function rethrowUnlessWaiting(error: unknown): void {
  if (PatchbayError.from(error).retry !== 'after') throw error;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const open = [...items];
  const worker = async () => {
    for (let item = open.shift(); item !== undefined; item = open.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(writersAtOnce, items.length) }, worker));
}
