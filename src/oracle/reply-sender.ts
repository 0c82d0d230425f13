import { Looks, type Signals } from '#platform';
import { PatchbayError, type HttpClient, type Logger } from '#sdk';
import { messageOf, type AdapterAnswer } from './adapter-answer.js';
import type { DueReply, RepliesStore } from './replies.store.js';

export interface ReplySenderParts {
  readonly replies: RepliesStore;
  /** What a run that has ended is answered with. */
  readonly answerOf: (run: string, jobRunId: string | undefined) => Promise<AdapterAnswer | undefined>;
  readonly http: HttpClient;
  readonly signals: Pick<Signals, 'on' | 'setInterest'>;
  readonly log: Logger;
  readonly times?: ReplyTimes;
}

export interface ReplyTimes {
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** A side that cannot be reached is tried for so long. */
  readonly triedForMs: number;
}

export const usualReplyTimes: ReplyTimes = {
  firstRetryMs: 1_000,
  longestRetryMs: 5 * 60_000,
  triedForMs: 24 * 3_600_000,
};

/** A reply was added; may get lost. */
export const repliesTopic = 'oracle replies';

const lookEveryMs = 1_000;
const pageSize = 50;
const timeoutMs = 15_000;
/** Longer than an attempt may take. */
const keptMs = 30_000;
/** A node that knows nothing of the task will not know more of it later; it may not have stored it yet. */
const mostRefusals = 4;
const refusals: ReadonlySet<number> = new Set([400, 404, 405, 409, 410, 422, 500]);

/** Brings answers to those who were told that they come later. What is sent is written down first, and never changes. */
export class ReplySender {
  readonly #looks: Looks;
  #isOwing = true;
  /** Sent, as far as the store does not know it yet: they are not sent again. */
  readonly #sent = new Set<string>();
  readonly #stop = new AbortController();

  constructor(private readonly parts: ReplySenderParts) {
    this.#looks = new Looks({
      look: () => this.#bring(),
      failed: (error) => parts.log.info('Answers of adapters cannot be sent for now', { error }),
      everyMs: lookEveryMs,
      hears: { signals: parts.signals, topic: repliesTopic },
    });
  }

  start(): void {
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new PatchbayError('step.cancelled'));
    await this.#looks.stop();
  }

  /** A run of an adapter has ended. */
  runEnded(): void {
    if (this.#isOwing) void this.#looks.ask();
  }

  async #bring(): Promise<void> {
    const { replies, answerOf } = this.parts;
    for (const id of this.#sent) await this.#keepSent(id);
    this.#isOwing = await replies.hasWaiting();
    if (!this.#isOwing) return;
    const ended = await replies.unwritten(pageSize);
    for (const { id, run, jobRunId } of ended) {
      const answer = await answerOf(run, jobRunId);
      if (answer !== undefined) await replies.write(id, resumptionOf(answer));
    }
    const due = await replies.claim(pageSize, keptMs);
    await Promise.all(due.map((reply) => this.#send(reply)));
    if (due.length === pageSize || ended.length === pageSize) void this.#looks.ask();
  }

  async #send(reply: DueReply): Promise<void> {
    const { http, log } = this.parts;
    let status: number | undefined;
    try {
      const url = reply.openTarget();
      await http.request({
        method: 'PATCH',
        url,
        headers: { 'content-type': 'application/json' },
        body: reply.body,
        timeoutMs,
        redact: [url, new URL(url).pathname],
        signal: this.#stop.signal,
        accept: (given) => {
          status = given;
          return given >= 200 && given < 300;
        },
      });
    } catch (thrown) {
      // It stays claimed for a moment, and is sent by whoever comes next.
      if (this.#stop.signal.aborted) return;
      await this.#failed(reply, PatchbayError.from(thrown), status);
      return;
    }
    this.#sent.add(reply.id);
    await this.#keepSent(reply.id);
    log.debug('A later answer of an adapter was sent', { flow: reply.flow, run: reply.run });
  }

  async #keepSent(id: string): Promise<void> {
    await this.parts.replies.sent(id);
    this.#sent.delete(id);
  }

  async #failed(reply: DueReply, error: PatchbayError, status: number | undefined): Promise<void> {
    const { replies, log, times = usualReplyTimes } = this.parts;
    const isRefusal = error.code === 'target.forbidden' || (status !== undefined && refusals.has(status));
    const isLast =
      (isRefusal && reply.refusals + 1 >= mostRefusals) || Date.now() - reply.createdAt.getTime() > times.triedForMs;
    const backOffMs = Math.min(times.firstRetryMs * 2 ** Math.min(reply.attempts, 20), times.longestRetryMs);
    const retryInMs = error.retryAfterMs ?? backOffMs;
    const told = { code: error.code, message: messageOf(error) };
    await replies.failed(reply.id, { isRefusal, isLast, retryInMs, error: told });
    if (isLast) {
      log.error('A later answer of an adapter was given up', { flow: reply.flow, run: reply.run, ...reasonOf(told) });
    } else {
      log.info('A later answer of an adapter was not taken and will be sent again', {
        flow: reply.flow,
        run: reply.run,
        ...reasonOf(told),
      });
    }
  }
}

/** Exactly one of `value` and `error`, as nodes take it; jobs read the value as they read an answer at once. */
function resumptionOf({ status, body }: AdapterAnswer): string {
  if (status === 200) return JSON.stringify({ value: body });
  const { message } = body['error'] as { readonly message: string };
  return JSON.stringify({ error: message });
}

/** `message` is the word of a line of the log itself. */
function reasonOf({ code, message }: { readonly code: string; readonly message: string }): Record<string, string> {
  return { code, reason: message };
}
