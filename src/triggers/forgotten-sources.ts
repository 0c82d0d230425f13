import type { ConnectionsService } from '#connections';
import type { FlowsService } from '#flows';
import { PatchbayError, type AnyTrigger, type Logger, type UseService } from '#sdk';
import type { Catalog } from '#catalog';
import { Looks, type Leases } from '#platform';
import type { SourcesService } from './sources.service.js';
import type { SourcesStore, UnforgottenSource } from './sources.store.js';
import { forgettingLease } from './trigger-source.js';

export interface ForgottenSourcesParts {
  readonly catalog: Catalog;
  readonly flows: FlowsService;
  readonly sources: SourcesService;
  readonly store: SourcesStore;
  readonly connections: ConnectionsService;
  readonly leases: Leases;
  readonly log: Logger;
  readonly use: UseService;
  /** How long a source is unwanted before it is forgotten, and how long until the next try after one that failed. */
  readonly patience?: { readonly unwantedMs: number; readonly againMs: number };
}

const everyMs = 2_000;
const forgetWithinMs = 30_000;
// A file that is replaced is gone for a moment, and somebody may be about to put it back.
const usualPatience = { unwantedMs: 20_000, againMs: 60_000 };

/** Lets triggers take back what they made on the other side, once no flow listens there any more; a paused flow still does. */
export class ForgottenSources {
  readonly #unwantedAt = new Map<string, number>();
  readonly #notBefore = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #looks: Looks;

  constructor(private readonly parts: ForgottenSourcesParts) {
    this.#looks = new Looks({
      look: () => this.look(),
      failed: (error) => parts.log.info('Sources could not be looked after', { error }),
      everyMs,
    });
  }

  start(): void {
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looks.stop();
  }

  async look(): Promise<void> {
    const { catalog, flows, store } = this.parts;
    if (!flows.isLoaded) return;
    const forgetful = catalog.triggerNames().filter((uses) => catalog.trigger(uses)?.forget !== undefined);
    const wanted = this.#wanted();
    // Of a trigger whose flow cannot say what it listens to, nothing is known to be unwanted.
    const sure = forgetful.filter((uses) => !wanted.unsure.has(uses));
    const { unwantedMs } = this.#patience;
    if (wanted.ids.size > 0) await store.want([...wanted.ids], unwantedMs);
    const rows = sure.length === 0 ? [] : await store.unforgotten(sure, unwantedMs);
    const unwanted = rows.filter(({ id }) => !wanted.ids.has(id));
    const ids = new Set(unwanted.map(({ id }) => id));
    for (const id of this.#unwantedAt.keys()) if (!ids.has(id)) this.#unwantedAt.delete(id);
    const now = Date.now();
    for (const row of unwanted) {
      const since = this.#unwantedAt.get(row.id) ?? now;
      this.#unwantedAt.set(row.id, since);
      if (!row.isWanted && now - since >= unwantedMs && now >= (this.#notBefore.get(row.id) ?? 0))
        await this.#forget(row);
    }
  }

  #wanted(): { readonly ids: ReadonlySet<string>; readonly unsure: ReadonlySet<string> } {
    const ids = new Set<string>();
    const unsure = new Set<string>();
    for (const { name, compiled } of this.parts.flows.list()) {
      const source = this.parts.sources.findOf(name);
      if (source === undefined) unsure.add(compiled.flow.trigger.uses);
      else if (source.trigger.forget !== undefined) ids.add(source.id);
    }
    return { ids, unsure };
  }

  async #forget(row: UnforgottenSource): Promise<void> {
    const { catalog, connections, leases, store, log, use } = this.parts;
    const { unwantedMs, againMs } = this.#patience;
    const lease = await leases.acquire(forgettingLease(row));
    if (lease === undefined) return;
    try {
      // Whoever has begun to listen before this was alone is wanted by now; whoever begins later waits.
      const rows = await store.unforgotten([row.uses], unwantedMs);
      const isUnwanted = rows.some(({ id, isWanted }) => id === row.id && !isWanted);
      if (!isUnwanted || this.#wanted().ids.has(row.id)) return;
      const trigger = catalog.trigger(row.uses);
      const input = trigger?.input.safeParse(row.input);
      if (trigger?.forget !== undefined && input?.success === true) {
        const others = this.#othersOf(row, trigger, rows);
        const asked = row.connection ?? undefined;
        const client: unknown = await connections.clientFor(row.uses, trigger, asked);
        const signal = AbortSignal.any([lease.signal, this.#stop.signal, AbortSignal.timeout(forgetWithinMs)]);
        await trigger.forget({ input: input.data, others, client, signal, log, use });
      }
      // One whose flow came back in the meantime keeps its place, and is forgotten once it is unwanted again.
      if (!this.#wanted().ids.has(row.id)) await store.forgotten(row.id, unwantedMs);
    } catch (thrown) {
      const { code, detail } = PatchbayError.from(thrown);
      log.warn('What a trigger made cannot be taken back for now', { source: row.id, code, detail });
      this.#notBefore.set(row.id, Date.now() + againMs);
    } finally {
      await lease.release();
    }
  }

  /** Inputs of what is still listened to, on the same connection, here or in another process. */
  #othersOf(
    { id, uses, connection }: UnforgottenSource,
    trigger: AnyTrigger,
    rows: readonly UnforgottenSource[],
  ): readonly unknown[] {
    const here = this.parts.flows.list().flatMap(({ name }) => {
      const source = this.parts.sources.findOf(name);
      return source?.uses === uses && (source.connection ?? null) === connection ? [source] : [];
    });
    const known = new Set(here.map((source) => source.id)).add(id);
    const elsewhere = rows.filter((row) => row.isWanted && row.connection === connection && !known.has(row.id));
    const inputs = elsewhere.map(({ input }) => trigger.input.safeParse(input));
    return [...here.map(({ input }) => input), ...inputs.flatMap(({ success, data }) => (success ? [data] : []))];
  }

  get #patience(): { readonly unwantedMs: number; readonly againMs: number } {
    return this.parts.patience ?? usualPatience;
  }
}
