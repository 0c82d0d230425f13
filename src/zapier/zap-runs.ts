import { createHash, randomUUID } from 'node:crypto';
import type { Caller, Signals } from '#platform';
import type { RunsQueries } from '#runs';
import { PatchbayError, z, type HttpClient } from '#sdk';
import type { HookReceiver } from '#triggers';
import type { DeclaredForZapier } from './declared.js';
import type { EndedRunsStore } from './ended-runs.store.js';
import { exampleRun } from './examples.js';
import { zapierTopic } from './hook-sender.js';
import { runItem, runResult, type Item } from './items.js';
import type { SubscriptionsStore } from './subscriptions.store.js';
import { assertTarget, hashOf } from './zap-targets.js';
import type { runSearch } from './zapier.schema.js';

export interface ZapRunsParts {
  readonly receiver: HookReceiver;
  readonly queries: RunsQueries;
  readonly declared: DeclaredForZapier;
  readonly endedRuns: EndedRunsStore;
  readonly subscriptions: SubscriptionsStore;
  readonly http: HttpClient;
  readonly signals: Signals;
}

export interface RunRequest {
  readonly flow: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly callbackUrl?: string | undefined;
  readonly key?: string | undefined;
}

export interface StartedRun {
  readonly id: string;
  readonly run_id: string;
  readonly flow: string;
  readonly state: string;
  /** The same request came before; nothing new was started. */
  readonly duplicate: boolean;
}

type RunSearch = z.output<typeof runSearch>;

const found = 10;

/** Flows that Zaps run, and what becomes of them. */
export class ZapRuns {
  constructor(private readonly parts: ZapRunsParts) {}

  /**
   * When it has returned, the run is stored, and so is who is to be told of its end. A repeated key, or else a repeated
   * callback address, starts no second run.
   *
   * @throws flow.notFound, flow.invalid, flow.disabled, request.invalid, target.forbidden
   */
  async start({ flow, fields, callbackUrl, key }: RunRequest, caller: Caller): Promise<StartedRun> {
    const { receiver, declared, subscriptions, http, signals } = this.parts;
    declared.getRunnable(flow);
    if (callbackUrl !== undefined) await assertTarget(callbackUrl, http);
    const body = { fields };
    const accepted = await receiver.accept(flow, {
      method: 'POST',
      headers: { 'idempotency-key': idempotencyKey(key, callbackUrl) },
      query: {},
      rawBody: Buffer.from(JSON.stringify(body)),
      body,
      isAuthenticated: true,
    });
    const [run] = accepted.runs;
    if (run === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: `The flow ${flow} does not take this: its conditions on the trigger do not hold.`,
        fix: 'Look at where: of the flow, or add a filter to the Zap.',
      });
    }
    if (callbackUrl !== undefined) {
      await subscriptions.add({
        hash: hashOf([callbackUrl, 'run_finished', run]),
        trigger: 'run_finished',
        topic: run,
        input: {},
        awaits: run,
        targetUrl: callbackUrl,
        inBatch: false,
        cursor: null,
        createdBy: caller.name,
      });
      signals.publish(zapierTopic, null);
    }
    const { state } = await this.parts.queries.run(run);
    return { id: run, run_id: run, flow, state, duplicate: accepted.duplicates > 0 };
  }

  /** What a step that waits will get one day, for the editor: of an earlier run where there is one. */
  async sample(flow: string): Promise<Item> {
    this.parts.declared.getRunnable(flow);
    const [newest = exampleRun(flow)] = await this.parts.endedRuns.newest(flow, 1);
    return runResult(newest);
  }

  /** By its id, or the newest of a flow; nothing when there is none. */
  async find(wanted: RunSearch): Promise<Item[]> {
    const { queries, endedRuns } = this.parts;
    if (wanted.run === undefined && wanted.flow === undefined) {
      throw new PatchbayError('request.invalid', {
        detail: 'Neither the id of a run nor a flow is given.',
        fix: 'Give one of them.',
      });
    }
    const runs =
      wanted.run === undefined
        ? (await queries.runs({ flow: wanted.flow, state: wanted.state, limit: found })).items
        : z.uuid().safeParse(wanted.run).success
          ? [await queries.run(wanted.run).catch(nothingIfMissing)]
          : [];
    return Promise.all(
      runs
        .filter((run) => run !== undefined)
        .map(async (run) => runItem((await endedRuns.find(run.id)) ?? { ...run, error: null, outputs: {} })),
    );
  }
}

/** Two equal requests may both be meant: what they hold is no key. */
function idempotencyKey(key: string | undefined, callbackUrl: string | undefined): string {
  if (key !== undefined) return `key:${key}`;
  if (callbackUrl === undefined) return `request:${randomUUID()}`;
  return `callback:${createHash('sha256').update(callbackUrl).digest('hex')}`;
}

function nothingIfMissing(error: unknown): undefined {
  if (error instanceof PatchbayError && error.code === 'run.notFound') return undefined;
  throw error;
}
