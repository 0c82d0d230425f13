import { createPoster, makeCalls, type CallPlan } from './calls.js';
import { nowMs, optionsOf, say } from './part-process.js';

export interface SenderOptions extends CallPlan {
  /** Of the hub. */
  readonly url: string;
  readonly key: string;
  /** Begins the idempotency keys, so that no two rounds share one. */
  readonly prefix: string;
  /** Names of signers, who take turns. */
  readonly from: readonly string[];
  /** Gets one wei of each. */
  readonly to: string;
  readonly fee?: { readonly max: string; readonly tip: string; readonly cap: string };
  /** That many transactions go into one call of the route for many; 0: each has a call of its own. */
  readonly perCall?: number;
}

export interface Sent {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Transactions that the hub has answered for. */
  readonly accepted: number;
  /** From just before each call to the end of its answer. */
  readonly latenciesMs: readonly number[];
}

const transferGas = '21000';
const options = optionsOf<SenderOptions>();
const { url, count, prefix, from, to, fee, perCall = 0 } = options;
const post = createPoster(`${url}/api/transactions${perCall > 0 ? '/batch' : ''}`, options);

const latenciesMs: number[] = [];
let accepted = 0;
const times = await makeCalls(
  { ...options, count: perCall > 0 ? Math.ceil(count / perCall) : count },
  perCall > 0 ? sendMany : sendOne,
);
const sent: Sent = { ...times, accepted, latenciesMs };
say(sent);
process.exit(0);

async function sendOne(number: number): Promise<void> {
  const text = await call(JSON.stringify(transactionOf(number)), `${prefix}${number}`);
  if (text !== undefined) accepted += 1;
}

async function sendMany(number: number): Promise<void> {
  const first = (number - 1) * perCall + 1;
  const transactions = Array.from({ length: Math.min(perCall, count - first + 1) }, (_, offset) => ({
    ...transactionOf(first + offset),
    idempotencyKey: `${prefix}${first + offset}`,
  }));
  const text = await call(JSON.stringify({ transactions }));
  if (text === undefined) return;
  const { items } = JSON.parse(text) as { readonly items: readonly { readonly error?: object }[] };
  const refused = items.find(({ error }) => error !== undefined);
  if (refused !== undefined) console.error('The hub refused a transaction:', refused.error);
  accepted += items.filter(({ error }) => error === undefined).length;
}

/** @returns the answer; undefined when the hub did not accept */
async function call(body: string, idempotencyKey?: string): Promise<string | undefined> {
  const startedAtMs = nowMs();
  const { status, text } = await post(body, idempotencyKey);
  latenciesMs.push(nowMs() - startedAtMs);
  if (status === 202) return text;
  console.error(`The hub answered ${status}: ${text.slice(0, 500)}`);
  return undefined;
}

function transactionOf(number: number): object {
  return { from: from[number % from.length], to, value: '1', gas: transferGas, ...(fee && { fee }) };
}
