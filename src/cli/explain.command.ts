import { exitCodes } from './exit-code.js';
import { HubAnswerError, type HubClient } from './hub-client.js';
import type { EventAnswer, RunDetailAnswer, StepAnswer } from './hub-answers.js';
import { counted } from './replay-text.js';
import type { Session } from './session.js';
import { sinceText } from './time-text.js';

/** Tells in sentences where something went and what it waits for. */
export async function explainCommand(id: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const run = await find<RunDetailAnswer>(hub, `/api/runs/${encodeURIComponent(id)}`);
  const event = await find<EventAnswer>(hub, `/api/events/${encodeURIComponent(run?.event ?? id)}`);
  if (run === undefined && event === undefined) {
    throw new HubAnswerError(exitCodes.notFound, {
      code: 'request.notFound',
      detail: `There is no run and no event ${id}.`,
      fix: 'Events and finished runs are kept for some days only. See the latest: npx patchbay runs',
    });
  }
  const others = event?.runs.filter((one) => one.id !== run?.id) ?? [];
  const runs =
    run !== undefined ? [run] : await Promise.all(others.map((one) => hub.get<RunDetailAnswer>(`/api/runs/${one.id}`)));
  session.show({ event: event ?? null, runs }, () =>
    [
      ...(event === undefined ? ['The event is no longer kept.'] : [explainEvent(event)]),
      ...runs.map((one) => `\n${explainRun(one, Date.now())}`),
      ...(run !== undefined && others.length > 0
        ? [`\nThe same event also started ${others.map((one) => `${one.flow} (${one.id}, ${one.state})`).join(', ')}.`]
        : []),
    ].join('\n'),
  );
}

async function find<T>(hub: HubClient, path: string): Promise<T | undefined> {
  try {
    return await hub.get<T>(path);
  } catch (error) {
    if (error instanceof HubAnswerError && error.exitCode === exitCodes.notFound) return undefined;
    throw error;
  }
}

export function explainEvent(event: EventAnswer): string {
  const about = event.subject === undefined ? '' : ` about ${event.subject}`;
  const heard = `${event.type} told of an event${about} at ${event.time} (${event.id}).`;
  const status = event.status === 'active' ? '' : ` It is ${event.status}: the chain took it back.`;
  if (event.runs.length > 0) return `${heard}${status} It started ${counted(event.runs.length, 'run')}.`;
  return `${heard}${status} It started no run: it was stored only, or its runs are no longer kept. Start one: npx patchbay replay <flow>`;
}

export function explainRun(run: RunDetailAnswer, now: number): string {
  return [
    `${run.flow} (${run.id}), begun ${sinceText(run.createdAt, now)}:`,
    ...run.steps.map((step) => `  ${explainStep(step, now)}`),
    `  ${explainState(run, now)}`,
  ].join('\n');
}

function explainStep(step: StepAnswer, now: number): string {
  const name = step.iteration > 0 ? `${step.step} (item ${step.iteration})` : step.step;
  const tries = step.attempts > 1 ? ` at attempt ${step.attempts}` : '';
  const why = sentence(`${step.error?.code ?? ''} ${step.error?.message ?? ''}`);
  if (step.state === 'succeeded') return `${name} succeeded${tries}.`;
  if (step.state === 'skipped') return `${name} was skipped: its condition does not hold.`;
  if (step.state === 'failed') return `${name} failed after ${counted(step.attempts, 'attempt')}: ${why}`;
  return `${name} failed ${counted(step.attempts, 'time')}: ${why} It is tried again ${sinceText(step.retryAt, now)}.`;
}

function explainState(run: RunDetailAnswer, now: number): string {
  const fix = run.error?.fix === undefined || run.error.fix === '' ? '' : ` ${run.error.fix}`;
  switch (run.state) {
    case 'completed':
      return run.failedSteps.length === 0
        ? 'It is completed.'
        : `It is completed without ${run.failedSteps.join(', ')}, which the flow can do without.`;
    case 'running':
      return 'A worker is at it now.';
    case 'cancelled':
      return `It was cancelled${run.finishedAt === null ? '' : ` ${sinceText(run.finishedAt, now)}`}; nothing more is done, and what was done stays.`;
    case 'failed':
      return `It was given up at ${run.error?.step ?? 'a step'}: ${sentence(`${run.error?.code ?? ''} ${run.error?.message ?? ''}`)}${fix}\n  Then: npx patchbay dead-letters retry ${run.id}, with the event corrected: --event <file>, or npx patchbay dead-letters drop ${run.id}`;
    case 'queued':
      return explainWaiting(run, now);
  }
}

function explainWaiting(run: RunDetailAnswer, now: number): string {
  if (Date.parse(run.dueAt) > now) {
    return `It waits for its next try ${sinceText(run.dueAt, now)}. Try it now: npx patchbay runs retry ${run.id}`;
  }
  if (run.orderingKey !== null) {
    return `It waits for its turn: runs of ${run.flow} with the ordering key ${run.orderingKey} go one after another. See the ones before it: npx patchbay runs --flow ${run.flow}`;
  }
  return 'It is due and waits for a free worker. If that lasts: npx patchbay doctor';
}

/** Messages of other sides seldom end like sentences. */
function sentence(text: string): string {
  return text.trim().replace(/[^.!?]$/, '$&.');
}
