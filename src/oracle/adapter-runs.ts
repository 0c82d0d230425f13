import { randomUUID } from 'node:crypto';
import type { FlowsService, KnownFlow } from '#flows';
import type { Signals } from '#platform';
import type { EndedRun, EndedRuns, RunEnds } from '#runs';
import { PatchbayError, isErrorCode, z, type HttpClient, type Logger } from '#sdk';
import type { HookReceiver, RawHook, SourcesService } from '#triggers';
import { failureOf, messageOf, pendingAnswer, successOf, type AdapterAnswer } from './adapter-answer.js';
import { adapterRequestOf, type AdapterRequest } from './adapter-request.js';
import type { RepliesStore } from './replies.store.js';
import { repliesTopic } from './reply-sender.js';
import type { RequestsStore } from './requests.store.js';

export interface AdapterRunsParts {
  readonly flows: FlowsService;
  readonly sources: SourcesService;
  readonly receiver: HookReceiver;
  readonly endedRuns: EndedRuns;
  readonly ends: RunEnds;
  readonly requests: RequestsStore;
  readonly replies: RepliesStore;
  readonly http: HttpClient;
  readonly signals: Signals;
  readonly log: Logger;
}

const uses = { trigger: 'oracle.adapter', answer: 'oracle.answer' } as const;
/** More than that, nodes cut off. */
const mostBytes = 32_768;

const settingsSchema = z.looseObject({
  async: z.boolean(),
  responseHosts: z.array(z.string()),
  budget: z.number(),
  repeats: z.number(),
});
type Settings = z.output<typeof settingsSchema>;

/** Flows as external adapters: what is asked becomes a run, and its end the answer. */
export class AdapterRuns {
  constructor(private readonly parts: AdapterRunsParts) {}

  /** Flows that are asked as adapters. */
  adapters(): ReadonlySet<string> {
    return new Set(
      this.parts.flows
        .running()
        .filter(({ compiled }) => compiled.flow.trigger.uses === uses.trigger)
        .map(({ name }) => name),
    );
  }

  /**
   * Never throws: what cannot be answered is an answer too, in the shape that callers of adapters know. What is asked
   * again with the same id and content gets the same answer, of the same run.
   */
  async answer(flow: string, raw: RawHook): Promise<AdapterAnswer> {
    let id: string | undefined;
    try {
      const settings = this.#settingsOf(flow);
      const request = adapterRequestOf(raw);
      ({ id } = request);
      return await this.#answer(flow, request, settings);
    } catch (thrown) {
      const error = PatchbayError.from(thrown);
      if (error.status >= 500) this.parts.log.error('An adapter could not answer', { flow, error });
      return failureOf(error, id);
    }
  }

  /** Of a run that has ended; undefined while it goes on. */
  async answerOf(run: string, jobRunId: string | undefined): Promise<AdapterAnswer | undefined> {
    const ended = await this.parts.endedRuns.find(run);
    return ended && this.#answerOf(ended, jobRunId);
  }

  async #answer(flow: string, request: AdapterRequest, settings: Settings): Promise<AdapterAnswer> {
    const { receiver, ends, requests } = this.parts;
    await this.#assertMayReply(flow, request.responseUrl, settings);
    const key =
      request.id === undefined || settings.repeats === 0
        ? randomUUID()
        : await requests.keyOf(flow, request.fingerprint, settings.repeats);
    const { hook } = request;
    const accepted = await receiver.accept(flow, {
      ...hook,
      headers: { ...hook.headers, 'idempotency-key': key },
      isAuthenticated: true,
    });
    const [run] = accepted.runs;
    if (run === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: `The flow ${flow} does not take this: its conditions on the trigger do not hold.`,
        fix: `Look at where: of the flow ${flow}.`,
      });
    }
    if (settings.async && request.responseUrl !== undefined) return this.#later(flow, run, request);
    const ended = await ends.wait(run, { timeoutMs: settings.budget, looksFirst: accepted.duplicates > 0 });
    if (ended !== undefined) return this.#answerOf(ended, request.id);
    if (request.responseUrl !== undefined) return this.#later(flow, run, request);
    throw new PatchbayError('flow.timeout', {
      detail: `The flow ${flow} gave no answer within ${settings.budget / 1_000} s; its run ${run} goes on.`,
      fix: 'Ask again with the same id for its answer, let the job say async="true", or raise budget of the flow.',
    });
  }

  async #later(flow: string, run: string, { responseUrl = '', id }: AdapterRequest): Promise<AdapterAnswer> {
    await this.parts.replies.add({ flow, run, targetUrl: responseUrl, jobRunId: id });
    this.parts.signals.publish(repliesTopic, null);
    return pendingAnswer;
  }

  async #answerOf(run: EndedRun, jobRunId: string | undefined): Promise<AdapterAnswer> {
    try {
      if (run.state !== 'completed') throw failedRun(run);
      const { flow } = await this.parts.flows.version(run.version);
      const said = flow.steps.filter((step) => step.uses === uses.answer && run.outputs[step.id] !== undefined).at(-1);
      const answer = successOf(said && run.outputs[said.id], jobRunId);
      if (Buffer.byteLength(JSON.stringify(answer.body)) > mostBytes) {
        this.parts.log.warn('An answer is longer than nodes read', { flow: run.flow, run: run.id, mostBytes });
      }
      return answer;
    } catch (thrown) {
      return failureOf(PatchbayError.from(thrown), jobRunId);
    }
  }

  /** @throws flow.notFound, flow.invalid */
  #settingsOf(name: string): Settings {
    const flow = this.parts.flows.get(name);
    const { trigger } = flow.compiled.flow;
    if (trigger.uses !== uses.trigger) {
      throw new PatchbayError('flow.notFound', {
        detail: `The flow ${name} is started by ${trigger.uses}, not as an adapter.`,
        fix: `Give it the trigger ${uses.trigger}.`,
      });
    }
    if (!hasAnswer(flow)) {
      throw new PatchbayError('flow.invalid', {
        detail: `The flow ${name} says nowhere what its caller gets.`,
        fix: `Add a step that uses ${uses.answer}.`,
      });
    }
    return settingsSchema.parse(this.parts.sources.of(name).input);
  }

  /** @throws target.forbidden */
  async #assertMayReply(flow: string, responseUrl: string | undefined, { responseHosts }: Settings): Promise<void> {
    if (responseUrl === undefined) return;
    const { host, hostname } = new URL(responseUrl);
    if (!responseHosts.includes(host) && !responseHosts.includes(hostname)) {
      throw new PatchbayError('target.forbidden', {
        detail: `The flow ${flow} sends no answers to ${host}.`,
        fix: `Add ${host} to responseHosts of its trigger, or leave out async="true" in the job.`,
      });
    }
    await this.parts.http.assertAllowed(responseUrl);
  }
}

function hasAnswer({ compiled }: KnownFlow): boolean {
  return compiled.flow.steps.some((step) => step.uses === uses.answer);
}

/** Its own status would tell the caller that he did something wrong, where it was a step. */
function failedRun({ id, flow, state, error }: EndedRun): PatchbayError {
  const code = error?.code ?? '';
  const cause = isErrorCode(code) ? new PatchbayError(code, { detail: error?.message ?? '' }) : undefined;
  const why =
    state === 'cancelled' ? 'was cancelled' : `failed: ${cause === undefined ? 'internal' : messageOf(cause)}`;
  return new PatchbayError(cause?.status === 504 ? 'flow.timeout' : 'oracle.adapter', {
    detail: `The run ${id} of the flow ${flow} ${why}`,
    ...(error?.fix !== undefined && { fix: error.fix }),
  });
}
