import { createPoster, makeCalls, type CallPlan } from './calls.js';
import { nowMs, optionsOf, say } from './part-process.js';

export interface AdapterCallerOptions extends CallPlan {
  readonly url: string;
  readonly key: string;
  /** Begins the ids, so that no two rounds share one. */
  readonly prefix: string;
}

export interface Asked {
  /** With HTTP status 200, and what was asked for. */
  readonly answered: number;
  /** From just before each call to the end of its answer. */
  readonly latenciesMs: readonly number[];
}

const options = optionsOf<AdapterCallerOptions>();
const post = createPoster(options.url, options);

const latenciesMs: number[] = [];
let answered = 0;
await makeCalls(options, async (number) => {
  const id = `${options.prefix}${number}`;
  const startedAtMs = nowMs();
  const { status, text } = await post(JSON.stringify({ id, data: { value: `value ${number}` } }));
  latenciesMs.push(nowMs() - startedAtMs);
  const body = JSON.parse(text) as { readonly jobRunID?: unknown; readonly result?: unknown };
  if (status === 200 && body.jobRunID === id && body.result === `value ${number}`) answered += 1;
  else console.error(`The adapter answered ${status}: ${text.slice(0, 500)}`);
});
const asked: Asked = { answered, latenciesMs };
say(asked);
process.exit(0);
