import { PatchbayError } from '#sdk';
import { loadPipeline } from '../pipeline/load.js';
import type { ChainTransaction, HttpAnswer, HttpCall, Ports } from '../pipeline/ports.js';
import { runPipeline, type PipelineEnd, type PipelineRun } from '../pipeline/run.js';
import type { Job } from '../pipeline/task-type.js';
import { mapOf, toPlain, type Outcome, type Value } from '../pipeline/value.js';

/** What the outside of a pipeline answers, and what it was asked. */
export class PipelineStage {
  readonly calls: HttpCall[] = [];
  readonly sent: ChainTransaction[] = [];
  readonly waits: number[] = [];
  /** By address; a function decides by the call. */
  readonly answers = new Map<string, string | Partial<HttpAnswer> | ((call: HttpCall) => Partial<HttpAnswer>)>();
  readonly bridges = new Map<string, string>();
  chainAnswer: string | Error = '0x';
  estimate: bigint | Error = 21_000n;
  sending: () => Promise<void> = () => Promise.resolve();
  later: { answer?: { value: Value } | { error: string }; isAsked: boolean } = { isAsked: false };
  chance = 0;
  readonly #cache = new Map<string, string>();

  readonly ports: Ports = {
    http: {
      call: (call) => {
        this.calls.push(call);
        const answer = this.answers.get(call.url);
        if (answer === undefined) {
          return Promise.reject(new PatchbayError('connection.refused', { detail: `${call.url} cannot be reached` }));
        }
        const given =
          typeof answer === 'function' ? answer(call) : typeof answer === 'string' ? { text: answer } : answer;
        return Promise.resolve({ status: 200, headers: {}, text: '', ...given });
      },
    },
    bridges: {
      find: (name) => {
        const url = this.bridges.get(name);
        if (url === undefined) throw new PatchbayError('connection.invalid', { detail: `No bridge ${name}` });
        return { url, headers: { 'x-key': 'secret' } };
      },
      later: () =>
        Promise.resolve({
          responseUrl: 'https://hub.example/oracle/resume/1',
          isAsked: this.later.isAsked,
          markAsked: () => {
            this.later.isAsked = true;
            return Promise.resolve();
          },
          answer: this.later.answer,
        }),
      cache: {
        get: (key) => this.#cache.get(key),
        set: (key, text) => void this.#cache.set(key, text),
      },
    },
    chain: {
      call: () => settled(this.chainAnswer),
      estimate: () => settled(this.estimate),
      send: async (transaction) => {
        this.sent.push(transaction);
        await this.sending();
        return mapOf([['transactionHash', `0x${'ab'.repeat(32)}`]]);
      },
    },
    random: () => this.chance,
    wait: (ms) => {
      this.waits.push(ms);
      return Promise.resolve();
    },
  };

  /** @throws with the faults when the source has some */
  run(
    source: string,
    more: Partial<Omit<PipelineRun, 'job'>> & { readonly job?: Partial<Job> } = {},
  ): Promise<PipelineEnd> {
    const { graph, faults } = loadPipeline(source);
    if (!graph) throw new Error(faults.map(({ line, column, detail }) => `${line}:${column} ${detail}`).join('\n'));
    return runPipeline({
      graph,
      jobRun: {},
      ports: this.ports,
      signal: new AbortController().signal,
      ...more,
      job: { ...noJob, ...more.job },
    });
  }

  /** The one result, as the hub shows it. @throws the error of the task */
  async result(source: string, more: Parameters<PipelineStage['run']>[1] = {}): Promise<unknown> {
    const { outputs } = await this.run(source, more);
    return plain(outputs[0]!);
  }
}

export function plain(outcome: Outcome): unknown {
  if ('error' in outcome) throw outcome.error;
  return toPlain(outcome.value);
}

const noJob: Job = {
  externalJobID: undefined,
  name: undefined,
  evmChainID: undefined,
  gasLimit: undefined,
  maxTaskDurationMs: undefined,
};

function settled<T>(value: T | Error): Promise<T> {
  return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
}
