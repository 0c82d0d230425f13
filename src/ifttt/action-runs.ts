import { randomUUID } from 'node:crypto';
import { PatchbayError, iftttDeduplicationField } from '#sdk';
import type { HookReceiver, SourcesService } from '#triggers';
import type { ActionRequests } from './action-requests.js';
import type { ActionOffer, Declarations } from './declarations.js';
import { isRecord } from './ifttt-answer.js';

export interface ActionRunsParts {
  readonly declarations: Declarations;
  readonly sources: SourcesService;
  readonly receiver: HookReceiver;
  readonly requests: ActionRequests;
}

export interface ActionCall {
  readonly slug: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly requestId: string | undefined;
  /** Only the fields are checked. */
  readonly isTest: boolean;
}

/** What the tests of IFTTT send as the deduplication key, because the samples of the hub say so: nothing is done then. */
export const testDeduplicationKey = 'patchbay-test';

/** Runs that IFTTT starts: each wish once, however often it is sent. */
export class ActionRuns {
  constructor(private readonly parts: ActionRunsParts) {}

  /** @throws request.notFound */
  offer(slug: string): ActionOffer {
    const offer = this.parts.declarations.action(slug);
    if (offer !== undefined) return offer;
    throw new PatchbayError('request.notFound', {
      detail: `There is no action ${slug}`,
      fix: 'Slugs are listed by: npx patchbay ifttt sheet',
    });
  }

  /**
   * Resolves when the run is stored, long before it is over.
   *
   * @returns id of the run, or of the event when the flow did not take it
   * @throws request.notFound, request.invalid, ifttt.field, flow.disabled
   */
  async start({ slug, body, requestId, isTest }: ActionCall): Promise<string> {
    const { flow } = this.offer(slug);
    const { actionFields, ifttt_source: source } = body;
    const fields = isRecord(actionFields) ? actionFields : undefined;
    const isTried = isTest || fields?.[iftttDeduplicationField] === testDeduplicationKey;
    if (isTried || fields === undefined) {
      await this.#check(flow, body);
      return `test-${randomUUID()}`;
    }
    const applet = isRecord(source) ? source['id'] : undefined;
    const key = await this.parts.requests.keyOf({
      flow,
      requestId,
      source: typeof applet === 'string' || typeof applet === 'number' ? String(applet) : undefined,
      fields,
    });
    const { runs, events } = await this.parts.receiver.accept(flow, hookOf(body, key));
    return runs[0] ?? events[0] ?? key;
  }

  async #check(flow: string, body: ActionCall['body']): Promise<void> {
    const source = this.parts.sources.of(flow);
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    await source.trigger.receive?.({ input: source.input, client: undefined, request: hookOf(body, ''), log: silent });
  }
}

/** Who sent it was judged at the door of the service. */
function hookOf(body: ActionCall['body'], key: string) {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    query: {},
    rawBody: Buffer.from(JSON.stringify(body)),
    body,
    isAuthenticated: true,
  };
}
