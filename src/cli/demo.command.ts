import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatUnits } from '#evm';
import { exitCodes } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import type { Session } from './session.js';

export interface BreakOptions {
  readonly status?: string;
  readonly times?: string;
  readonly every?: string;
  readonly delay?: string;
  readonly lost?: boolean;
}

/** A price takes one block to be heard, one to be answered. */
const answerWithinMs = 60_000;
const answerLookMs = 250;
const standIns = ['ifttt', 'zapier', 'http', 'salesforce', 'signer', 'prices'];

/** A token transfer on the development chain. */
export async function demoTransfer(amount: string, to: string | undefined, session: Session): Promise<void> {
  if (!/^\d+(\.\d{1,6})?$/.test(amount))
    throw new UsageError(`${amount} is no amount of USDC: a number with up to 6 decimals.`);
  const sent = await tell<{ transactionHash: string; to: string; amount: string }>(
    'POST',
    '/_demo/transfer',
    { amount, ...(to !== undefined && { to }) },
    session,
  );
  session.show(sent, () => `${sent.amount} USDC sent to ${sent.to} in ${sent.transactionHash}.`);
  session.note('See what became of it: npx patchbay runs');
}

/** A contract asks the hub, its oracle, what a pair costs; ends when the answer is on the chain. */
export async function demoRequest(pair: string, session: Session): Promise<void> {
  if (!/^[A-Z0-9]{1,12}-[A-Z0-9]{1,12}$/.test(pair)) throw new UsageError(`${pair} is no pair such as ETH-USD.`);
  const asked = await tell<{ id: string; consumer: string; transactionHash: string }>(
    'POST',
    '/_demo/request',
    { pair },
    session,
  );
  session.note(`The contract ${asked.consumer} asks for ${pair} in ${asked.transactionHash}.`);
  for (const until = Date.now() + answerWithinMs; Date.now() < until; await delay(answerLookMs)) {
    const { answer } = await tell<{ answer?: string }>('GET', `/_demo/request?id=${asked.id}`, undefined, session);
    if (answer === undefined) continue;
    session.show({ ...asked, pair, answer }, () => `It has the answer ${answer}: ${formatUnits(answer, 8)}.`);
    return;
  }
  throw new CommandError(
    exitCodes.failed,
    `No answer has come in ${answerWithinMs / 1_000} s.`,
    'See why: npx patchbay dead-letters, or npx patchbay runs',
  );
}

/** An opportunity that is won in the Salesforce stand-in. */
export async function demoWin(session: Session): Promise<void> {
  const won = await tell<{ id: string; name: string; amount: number }>('POST', '/_demo/opportunity', {}, session);
  session.show(won, () => `${won.name} over ${won.amount} is won (${won.id}).`);
  session.note('See what became of it: npx patchbay runs');
}

export async function demoReorg(depth: string, session: Session): Promise<void> {
  if (!/^\d{1,2}$/.test(depth)) throw new UsageError(`${depth} is no number of blocks.`);
  const result = await tell<unknown>('POST', '/_demo/reorg', { depth: Number(depth) }, session);
  session.show(result ?? { depth: Number(depth) }, () => `The last ${depth} blocks were replaced by others.`);
}

/** Lets a stand-in misbehave, to see what the flows make of it. */
export async function demoBreak(what: string, options: BreakOptions, session: Session): Promise<void> {
  checkStandIn(what);
  const times = numberOf(options.times, '--times');
  const status = numberOf(options.status, '--status') ?? 503;
  const delayMs = numberOf(options.delay, '--delay');
  const everyNth = numberOf(options.every, '--every');
  if (what === 'salesforce' && everyNth !== undefined)
    throw new UsageError('--every does not go with salesforce; use --times.');
  const counted = times === undefined ? {} : { times };
  const untilMended = { times: Number.MAX_SAFE_INTEGER };
  const salesforceKind =
    options.lost === true
      ? { kind: 'loseAnswer' }
      : delayMs === undefined
        ? { kind: 'status', status }
        : { kind: 'delay', ms: delayMs };
  const otherKind =
    options.lost === true ? { resetAfterProcessing: true } : delayMs === undefined ? { status } : { delayMs };
  const fault =
    what === 'salesforce'
      ? { standIn: what, ...salesforceKind, ...untilMended, ...counted }
      : { standIn: what, ...otherKind, ...counted, ...(everyNth !== undefined && { everyNth }) };
  await tell('POST', '/_faults', fault, session);
  session.show(fault, () => `${what} now ${effect(options, status, delayMs)}. Mend it: npx patchbay demo mend`);
}

export async function demoMend(what: string | undefined, session: Session): Promise<void> {
  if (what !== undefined) checkStandIn(what);
  await tell('DELETE', what === undefined ? '/_faults' : `/_faults?standIn=${what}`, undefined, session);
  session.show({ mended: what ?? 'all' }, () => `${what ?? 'Everything'} works again.`);
}

function effect({ lost, times, every }: BreakOptions, status: number, delayMs: number | undefined): string {
  const what =
    lost === true
      ? 'does what it is asked and then cuts the connection'
      : delayMs === undefined
        ? `answers with ${status}`
        : `takes ${delayMs} ms to answer`;
  const often = every === undefined ? '' : `, every ${every} requests`;
  return `${what}${often}${times === undefined ? '' : `, ${times} times`}`;
}

function checkStandIn(what: string): void {
  if (!standIns.includes(what)) throw new UsageError(`There is no stand-in ${what}.`, `Known: ${standIns.join(', ')}.`);
}

function numberOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} needs a whole number; ${text} is none.`);
}

async function tell<T>(method: string, path: string, body: unknown, { io }: Session): Promise<T> {
  const dataDir = io.env['PATCHBAY_DATA_DIR'] ?? '.patchbay';
  const file = await readFile(join(resolve(io.cwd, dataDir), 'sandbox.url'), 'utf8').catch(() => undefined);
  const url = (io.env['SANDBOX_URL'] ?? file?.trim())?.replace(/\/$/, '');
  const unreachable = (detail: string): CommandError =>
    new CommandError(exitCodes.unreachable, detail, 'Start it with npm start in this folder, or set SANDBOX_URL.');
  if (url === undefined) throw unreachable('No sandbox runs in this folder.');
  const response = await fetch(url + path, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    signal: AbortSignal.timeout(30_000),
  }).catch(() => {
    throw unreachable(`The sandbox at ${url} cannot be reached.`);
  });
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  throw new CommandError(
    response.status === 400 ? exitCodes.usage : exitCodes.failed,
    `The sandbox refused: ${text.slice(0, 500)}`,
  );
}
