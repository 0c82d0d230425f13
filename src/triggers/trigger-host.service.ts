import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionsService } from '#connections';
import { runWithLogContext, type Lease, type Leases } from '#platform';
import type { IntakeService, ReversalsStore, RunQueue } from '#runs';
import { PatchbayError, type Heard, type ListenContext, type Logger, type UseService } from '#sdk';
import type { SourcesService } from './sources.service.js';
import type { SourcesStore } from './sources.store.js';
import type { TriggerSource } from './trigger-source.js';

export interface TriggerHostParts {
  readonly sources: SourcesService;
  readonly store: SourcesStore;
  readonly connections: ConnectionsService;
  readonly intake: IntakeService;
  readonly reversals: ReversalsStore;
  readonly queue: RunQueue;
  readonly leases: Leases;
  readonly log: Logger;
  readonly use: UseService;
}

interface Listener {
  readonly source: TriggerSource;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

interface Group {
  readonly lease: Lease;
  readonly listeners: Map<string, Listener>;
}

const checkEveryMs = 1_000;
const firstBackOffMs = 500;
const longestBackOffMs = 60_000;

/**
 * Keeps one listener per trigger alive, in whichever process holds its lease. Triggers of one connection share a lease, so
 * that they share its client too. A trigger that fails is started again, with growing pauses, and disturbs no other.
 */
export class TriggerHostService {
  readonly #groups = new Map<string, Group>();
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;
  #isStopped = false;

  constructor(private readonly parts: TriggerHostParts) {}

  start(): void {
    this.parts.sources.onChange(() => this.#check());
    this.#timer = setInterval(() => this.#check(), checkEveryMs);
    this.#check();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#checking;
    await Promise.all([...this.#groups.keys()].map((name) => this.#leave(name)));
  }

  #check(): void {
    if (this.#isStopped || this.#checking !== undefined) return;
    this.#checking = this.#arrange()
      .catch((error: unknown) => this.parts.log.info('The listeners could not be arranged for now', { error }))
      .finally(() => (this.#checking = undefined));
  }

  async #arrange(): Promise<void> {
    const wanted = new Map<string, TriggerSource[]>();
    for (const source of this.parts.sources.all()) {
      if (source.trigger.listen === undefined && source.trigger.poll === undefined) continue;
      const name = source.connection === undefined ? `source ${source.id}` : `connection ${source.connection}`;
      wanted.set(name, [...(wanted.get(name) ?? []), source]);
    }
    for (const [name, { lease }] of this.#groups) {
      if (!wanted.has(name) || lease.signal.aborted) await this.#leave(name);
    }
    for (const [name, sources] of wanted) {
      const group = this.#groups.get(name) ?? (await this.#join(name));
      if (group !== undefined) await this.#align(group, sources);
    }
  }

  async #join(name: string): Promise<Group | undefined> {
    const lease = await this.parts.leases.acquire(name);
    if (lease === undefined) return undefined;
    const group: Group = { lease, listeners: new Map() };
    this.#groups.set(name, group);
    return group;
  }

  async #leave(name: string): Promise<void> {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    this.#groups.delete(name);
    await Promise.all([...group.listeners.values()].map(stopped));
    await group.lease.release();
  }

  async #align(group: Group, sources: readonly TriggerSource[]): Promise<void> {
    const ids = new Set(sources.map((source) => source.id));
    for (const [id, listener] of group.listeners) {
      if (ids.has(id)) continue;
      group.listeners.delete(id);
      await stopped(listener);
    }
    for (const source of sources) {
      if (group.listeners.has(source.id)) continue;
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, group.lease.signal]);
      group.listeners.set(source.id, { source, stop, ended: this.#keepListening(source, group.lease, signal) });
    }
  }

  async #keepListening(source: TriggerSource, lease: Lease, signal: AbortSignal): Promise<void> {
    let backOffMs = firstBackOffMs;
    while (!signal.aborted) {
      const startedAt = Date.now();
      try {
        await runWithLogContext({ trigger: source.uses }, () => this.#listen(source, lease, signal));
      } catch (thrown) {
        if (signal.aborted) return;
        const error = PatchbayError.from(thrown);
        this.parts.log.warn('A trigger stopped listening and will be started again', {
          trigger: source.uses,
          source: source.id,
          code: error.code,
          detail: error.detail,
        });
        await this.parts.store.fail(source.id, { code: error.code, message: error.detail }).catch(() => undefined);
      }
      if (Date.now() - startedAt > longestBackOffMs) backOffMs = firstBackOffMs;
      await delay(backOffMs, undefined, { signal }).catch(() => undefined);
      backOffMs = Math.min(backOffMs * 2, longestBackOffMs);
    }
  }

  async #listen(source: TriggerSource, lease: Lease, signal: AbortSignal): Promise<void> {
    const cursor = await this.parts.store.open(source);
    const client: unknown = await this.parts.connections.clientFor(source.uses, source.trigger, source.connection);
    const context = await this.#context(source, { lease, signal, cursor, client });
    if (source.trigger.listen !== undefined) return source.trigger.listen(context);
    await this.#poll(source, context);
  }

  async #poll(source: TriggerSource, context: ListenContext<unknown, unknown, unknown>): Promise<void> {
    const { poll, pollEveryMs = 60_000 } = source.trigger;
    let { cursor } = context;
    while (poll !== undefined && !context.signal.aborted) {
      const result = await poll({ ...context, cursor });
      if (result.heard.length > 0 || result.cursor !== undefined) {
        await context.emit(result.heard, result.cursor === undefined ? {} : { cursor: result.cursor });
      }
      cursor = result.cursor ?? result.heard.at(-1)?.id ?? cursor;
      if (result.more !== true) await delay(pollEveryMs, undefined, { signal: context.signal }).catch(() => undefined);
    }
  }

  async #context(
    source: TriggerSource,
    at: { lease: Lease; signal: AbortSignal; cursor: string | undefined; client: unknown },
  ): Promise<ListenContext<unknown, unknown, unknown>> {
    const { epoch } = at.lease;
    let hasRemoved = await this.parts.reversals.hasRemoved(source.id);
    return {
      input: source.input,
      client: at.client,
      cursor: at.cursor,
      signal: at.signal,
      log: this.parts.log,
      use: this.parts.use,
      emit: async (given, options) => {
        at.signal.throwIfAborted();
        const heard: readonly Heard[] = Array.isArray(given) ? (given as Heard[]) : [given as Heard];
        const place = options?.cursor ?? heard.at(-1)?.id;
        await this.parts.intake.accept({
          source: source.id,
          uses: source.uses,
          heard,
          // A flow may have joined or left this source since it was opened.
          flows: this.parts.sources.find(source.id)?.flows ?? source.flows,
          ...(place !== undefined && { cursor: { place, epoch } }),
        });
        if (!hasRemoved || place === undefined) return;
        this.parts.queue.wakeAgain(await this.parts.reversals.finalize(source.id, place));
        hasRemoved = await this.parts.reversals.hasRemoved(source.id);
      },
      retract: async (retraction) => {
        const removed = await this.parts.reversals.retract(source.id, epoch, retraction);
        hasRemoved ||= removed > 0;
      },
      recall: (subjects, since) => this.parts.store.recall(source.id, subjects, since),
      report: (incident) => this.parts.store.report(source.id, incident),
    };
  }
}

async function stopped(listener: Listener): Promise<void> {
  listener.stop.abort();
  await listener.ended;
}
