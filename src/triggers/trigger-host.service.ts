import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionsService } from '#connections';
import { Looks, Watches, runWithLogContext, type Lease, type Leases, type Watch } from '#platform';
import type { IntakeService, ReversalsStore, RunQueue } from '#runs';
import { PatchbayError, type Heard, type ListenContext, type Logger, type UseService } from '#sdk';
import type { SourcesService } from './sources.service.js';
import type { SourcesStore } from './sources.store.js';
import { forgettingLease, type TriggerSource } from './trigger-source.js';

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

interface Group {
  readonly lease: Lease;
  readonly listeners: Watches;
}

/** One that listens, or waits for its turn to. */
interface Listener {
  /** As it was when it was last wanted. */
  source: TriggerSource;
  readonly signal: AbortSignal;
  readonly ended: Promise<void>;
}

const checkEveryMs = 1_000;
const forgettingEveryMs = 250;

/**
 * Keeps one listener per trigger alive, in whichever process holds its lease. Triggers of one connection share a lease, so
 * that they share its client too. A trigger that fails is started again, with growing pauses, and disturbs no other.
 * One that takes long to end delays only what the same flow listens to next.
 */
export class TriggerHostService {
  readonly #groups = new Map<string, Group>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #listeners = new Set<Listener>();
  /** Groups whose connection was opened anew since they began. */
  readonly #stale = new Set<string>();
  readonly #looks: Looks;

  constructor(private readonly parts: TriggerHostParts) {
    this.#looks = new Looks({
      look: () => this.#arrange(),
      failed: (error) => parts.log.info('The listeners could not be arranged for now', { error }),
      everyMs: checkEveryMs,
    });
  }

  start(): void {
    this.parts.sources.onChange(() => void this.#looks.ask());
    this.parts.connections.onReopened((name) => {
      this.#stale.add(`connection ${name}`);
      void this.#looks.ask();
    });
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    await this.#looks.stop();
    for (const [name, group] of this.#groups) this.#leave(name, group);
    await Promise.all(this.#leaving);
  }

  async #arrange(): Promise<void> {
    const wanted = new Map<string, TriggerSource[]>();
    for (const source of this.parts.sources.all()) {
      if (source.trigger.listen === undefined && source.trigger.poll === undefined) continue;
      const name = source.connection === undefined ? `source ${source.id}` : `connection ${source.connection}`;
      wanted.set(name, [...(wanted.get(name) ?? []), source]);
    }
    for (const one of this.#listeners) one.source = this.parts.sources.find(one.source.id) ?? one.source;
    for (const [name, group] of this.#groups) {
      if (!wanted.has(name) || group.lease.signal.aborted) this.#leave(name, group);
    }
    for (const [name, sources] of wanted) {
      const group = this.#groups.get(name) ?? (await this.#join(name));
      if (group === undefined) continue;
      const { lease, listeners } = group;
      if (this.#stale.delete(name)) void listeners.stop();
      const watches = sources.map((source) => [source.id, this.#watchOf(source, lease)] as const);
      void listeners.align(new Map(watches), lease.signal);
    }
  }

  async #join(name: string): Promise<Group | undefined> {
    const lease = await this.parts.leases.acquire(name);
    if (lease === undefined) return undefined;
    const group: Group = { lease, listeners: new Watches() };
    this.#groups.set(name, group);
    return group;
  }

  /** Nobody waits for the ends of its listeners, but its lease is free only then. */
  #leave(name: string, { lease, listeners }: Group): void {
    this.#groups.delete(name);
    const left = listeners
      .stop()
      .then(() => lease.release())
      .catch((error: unknown) => this.parts.log.info('A lease could not be released', { lease: name, error }))
      .finally(() => {
        this.#leaving.delete(left);
        void this.#looks.ask();
      });
    this.#leaving.add(left);
  }

  #watchOf(source: TriggerSource, lease: Lease): Watch {
    const { log, store } = this.parts;
    return {
      listen: async (signal) => {
        if (this.#isLeft(source)) return;
        await runWithLogContext({ trigger: source.uses }, () =>
          this.#inTurn(source, signal, () => this.#listen(source, lease, signal)),
        );
      },
      failed: async ({ code, detail }) => {
        if (this.#isLeft(source)) return;
        log.warn('A trigger stopped listening and will be started again', {
          trigger: source.uses,
          source: source.id,
          code,
          detail,
        });
        await store.fail(source.id, { code, message: detail });
      },
    };
  }

  /** No running flow listens there any more. The look that ends its listener may have to wait for a lease. */
  #isLeft({ id }: TriggerSource): boolean {
    return this.parts.sources.find(id) === undefined;
  }

  /** Not before what the same flow listened to until now has ended. */
  async #inTurn(source: TriggerSource, signal: AbortSignal, listen: () => Promise<void>): Promise<void> {
    const former = [...this.#listeners].filter((one) => this.#isFormer(one, source)).map(({ ended }) => ended);
    const listening = unlessAborted(signal, former).then(listen);
    const one = { source, signal, ended: listening.catch(() => undefined) };
    this.#listeners.add(one);
    await listening.finally(() => this.#listeners.delete(one));
  }

  #isFormer({ source, signal }: Listener, next: TriggerSource): boolean {
    if (!signal.aborted && !this.#isLeft(source)) return false;
    const flows = new Set(next.flows.map(({ flow }) => flow.name));
    return source.id === next.id || source.id === next.twin || source.flows.some(({ flow }) => flows.has(flow.name));
  }

  async #listen(source: TriggerSource, lease: Lease, signal: AbortSignal): Promise<void> {
    const { twin } = source;
    const isLeft = twin !== undefined && !this.parts.sources.isNeeded(twin);
    const cursor = await this.parts.store.open(source, twin === undefined ? undefined : { id: twin, isLeft });
    const { uses, trigger, connection } = source;
    if (trigger.forget !== undefined) await this.#outlastForgetting(source, signal);
    await this.parts.connections.using({ uses, definition: trigger, asked: connection }, async (client) => {
      const context = await this.#context(source, { lease, signal, cursor, client });
      if (trigger.listen !== undefined) await trigger.listen(context);
      else await this.#poll(source, context);
    });
  }

  /** What is taken back on the other side must not be what this listener relies on; it is known to be wanted by now. */
  async #outlastForgetting(source: TriggerSource, signal: AbortSignal): Promise<void> {
    const name = forgettingLease(source);
    while (await this.parts.leases.isHeld(name)) await delay(forgettingEveryMs, undefined, { signal });
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
    let hasRemoved = await this.parts.reversals.hasRemoved(source.heardAs);
    return {
      input: source.input,
      client: at.client,
      cursor: at.cursor,
      signal: at.signal,
      movesValue: source.movesValue,
      log: this.parts.log,
      use: this.parts.use,
      emit: async (given, options) => {
        at.signal.throwIfAborted();
        const heard: readonly Heard[] = Array.isArray(given) ? (given as Heard[]) : [given as Heard];
        const place = options?.cursor ?? heard.at(-1)?.id;
        // A flow may have joined or left this source since it was opened. Without any the place stays where it is.
        const flows = this.parts.sources.find(source.id)?.flows;
        if (flows === undefined) throw new PatchbayError('step.cancelled', { detail: 'No flow listens any more.' });
        await this.parts.intake.accept({
          source: source.heardAs,
          uses: source.uses,
          heard,
          flows,
          ...(place !== undefined && { cursor: { source: source.id, place, epoch } }),
        });
        if (!hasRemoved || place === undefined) return;
        this.parts.queue.wakeAgain(await this.parts.reversals.finalize(source.heardAs, place));
        hasRemoved = await this.parts.reversals.hasRemoved(source.heardAs);
      },
      retract: async (retraction) => {
        const removed = await this.parts.reversals.retract(source.heardAs, { source: source.id, epoch }, retraction);
        hasRemoved ||= removed > 0;
      },
      recall: (subjects, since) => this.parts.store.recall(source.heardAs, subjects, since),
      report: (incident) => this.parts.store.report(source.id, incident),
    };
  }
}

/** When all of them have settled. @throws the reason of the signal */
function unlessAborted(signal: AbortSignal, all: readonly Promise<unknown>[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => reject(PatchbayError.from(signal.reason));
    signal.addEventListener('abort', end, { once: true });
    void Promise.allSettled(all).then(() => {
      signal.removeEventListener('abort', end);
      resolve();
    });
  });
}
