import { readEvent } from './event-file.js';
import { UsageError } from './failure.js';
import type { ErrorAnswer } from './hub-answers.js';
import type { Paint } from './paint.js';
import { counted } from './replay-text.js';
import type { Session } from './session.js';
import { durationText, sinceText } from './time-text.js';

interface StreamAnswer {
  readonly name: string;
  readonly state: 'running' | 'suspended';
  readonly reason: string | null;
  readonly definition: {
    readonly source?: string;
    readonly contracts?: string | readonly string[];
    readonly target: { readonly type: string; readonly url?: string; readonly flow?: string };
  };
  readonly updatedAt: string;
}

interface PositionAnswer {
  readonly consumer: string;
  readonly cursor: string | null;
  readonly block: number | null;
  readonly lag: { readonly blocks: number; readonly seconds: number } | null;
  readonly batchNumber: number;
  readonly events: number;
  readonly failures: number;
  readonly error: (ErrorAnswer & { readonly isBlocked?: boolean }) | null;
  readonly retryAt: string | null;
  readonly deliveredAt: string | null;
}

interface DeadLetterAnswer {
  readonly id: string;
  readonly consumer: string;
  readonly batch: string;
  readonly events: readonly unknown[];
  readonly error: { readonly code: string; readonly message: string };
  readonly createdAt: string;
}

export async function listStreams(session: Session): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<{ items: readonly StreamAnswer[] }>('/api/streams');
  session.show(answer, () => {
    if (answer.items.length === 0) return 'No event streams. Make one: npx patchbay stream create <file>';
    return session.table(
      [
        { title: 'stream', text: (stream: StreamAnswer) => stream.name },
        { title: 'state', text: (stream) => stateText(stream, session.paint) },
        { title: 'source', text: sourceText, canShrink: true, drop: 1 },
        { title: 'target', text: targetText, canShrink: true, drop: 2 },
      ],
      answer.items,
    );
  });
}

export async function showStream(name: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const stream = await hub.get<StreamAnswer & { positions: readonly PositionAnswer[] }>(pathOf(name));
  session.show(stream, () =>
    [
      `${session.paint('bold', stream.name)}  ${stateText(stream, session.paint)}`,
      `${sourceText(stream)} → ${targetText(stream)}`,
      ...(stream.reason === null ? [] : [stream.reason]),
      ...stream.positions.flatMap((position) => ['', ...positionLines(position, Date.now())]),
    ].join('\n'),
  );
}

export async function createStream(file: string, session: Session): Promise<void> {
  const document = await readEvent(file, session.io);
  const hub = await session.hub();
  const stream = await hub.post<StreamAnswer>('/api/streams', document);
  session.show(stream, () => `${stream.name} is ${stream.state}.`);
}

export async function suspendStream(name: string, { reason }: { reason?: string }, session: Session): Promise<void> {
  const hub = await session.hub();
  const stream = await hub.post<StreamAnswer>(`${pathOf(name)}/suspend`, reason === undefined ? {} : { reason });
  session.show(stream, () => `${stream.name} is suspended; it keeps its place.`);
}

export async function resumeStream(name: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const stream = await hub.post<StreamAnswer>(`${pathOf(name)}/resume`);
  session.show(stream, () => `${stream.name} goes on where it left off.`);
}

export async function resetStream(name: string, place: string, session: Session): Promise<void> {
  if (!/^(now|earliest|\d{1,15})$/.test(place)) {
    throw new UsageError(`${place} is no place.`, 'Say now, earliest, or the number of a block.');
  }
  await session.confirm(`Every consumer of ${name} goes on from ${place}; events may come again, or never.`);
  const hub = await session.hub();
  const from = /^\d+$/.test(place) ? Number(place) : place;
  const stream = await hub.post<StreamAnswer>(`${pathOf(name)}/reset`, { from });
  session.show(stream, () => `${stream.name} goes on from ${place}.`);
}

export async function deleteStream(name: string, session: Session): Promise<void> {
  await session.confirm(`The event stream ${name} will be removed, with its places and dead letters.`);
  const hub = await session.hub();
  await hub.delete(pathOf(name));
  session.show({ deleted: name }, () => `The event stream ${name} is removed.`);
}

export async function streamDeadLetters(
  name: string,
  { retry, drop }: { readonly retry?: string; readonly drop?: string },
  session: Session,
): Promise<void> {
  if (retry !== undefined && drop !== undefined) throw new UsageError('Say either --retry or --drop.');
  const hub = await session.hub();
  if (retry !== undefined) {
    await hub.post(`${pathOf(name)}/dead-letters/${encodeURIComponent(retry)}/retry`);
    session.show({ delivered: retry }, () => `The batch of ${retry} is delivered.`);
    return;
  }
  if (drop !== undefined) {
    await session.confirm(`The dead letter ${drop} will be given up for good.`);
    await hub.post(`${pathOf(name)}/dead-letters/${encodeURIComponent(drop)}/drop`);
    session.show({ dropped: drop }, () => `The dead letter ${drop} is dropped.`);
    return;
  }
  const answer = await hub.get<{ items: readonly DeadLetterAnswer[] }>(`${pathOf(name)}/dead-letters`);
  session.show(answer, () => {
    if (answer.items.length === 0) return 'No dead letters.';
    return session.table(
      [
        { title: 'dead letter', text: (letter: DeadLetterAnswer) => letter.id },
        { title: 'events', text: (letter) => String(letter.events.length) },
        { title: 'since', text: (letter) => sinceText(letter.createdAt, Date.now()), drop: 1 },
        { title: 'why', text: (letter) => `${letter.error.code}: ${letter.error.message}`, canShrink: true },
      ],
      answer.items,
    );
  });
}

function positionLines(position: PositionAnswer, now: number): string[] {
  const { consumer, block, cursor, lag, batchNumber, events, failures, error, retryAt, deliveredAt } = position;
  const behind =
    lag === null
      ? ''
      : lag.blocks === 0
        ? ', at the newest block'
        : `, ${counted(lag.blocks, 'block')} and ${durationText(lag.seconds * 1_000)} behind`;
  const delivered = deliveredAt === null ? '' : `, the last ${sinceText(deliveredAt, now)}`;
  return [
    ...(consumer === '' ? [] : [`consumer ${consumer}`]),
    `next block ${block ?? cursor ?? 'not known yet'}${behind}`,
    `${counted(events, 'event')} in ${batchNumber} ${batchNumber === 1 ? 'batch' : 'batches'}${delivered}`,
    ...(error === null
      ? []
      : [
          `${error.isBlocked === true ? 'blocked' : 'failing'} after ${counted(failures, 'attempt')}: ${error.code}: ${error.message}`,
          `tried again ${sinceText(retryAt, now)}`,
        ]),
  ];
}

function sourceText({ definition: { source = 'events', contracts } }: StreamAnswer): string {
  if (source !== 'events') return source;
  return contracts === '*' ? 'every contract' : [contracts ?? []].flat().join(', ') || 'events';
}

function targetText({ definition: { target } }: StreamAnswer): string {
  return [target.type, target.url ?? target.flow].filter((part) => part !== undefined).join(' ');
}

function stateText({ state }: StreamAnswer, paint: Paint): string {
  return `${state === 'running' ? paint('green', '✓') : paint('yellow', '‖')} ${state}`;
}

function pathOf(name: string): string {
  return `/api/streams/${encodeURIComponent(name)}`;
}
