import type { RunAnswer, RunDetailAnswer, StepAnswer } from './hub-answers.js';
import type { Paint } from './paint.js';
import type { Session } from './session.js';
import type { Column } from './table.js';
import { durationText, sinceText } from './time-text.js';

export function runColumns(paint: Paint, now: number): readonly Column<RunAnswer>[] {
  return [
    { title: 'run', text: (run) => run.id },
    { title: 'flow', text: (run) => run.flow, canShrink: true },
    { title: 'state', text: (run) => stateText(run, paint, now) },
    { title: 'began', text: (run) => sinceText(run.createdAt, now), drop: 2 },
    { title: 'took', text: tookText, drop: 3 },
    { title: 'why', text: (run) => run.error?.message ?? run.failedSteps.join(', '), drop: 1, canShrink: true },
  ];
}

/** One run with its steps, for people. */
export function runText(run: RunDetailAnswer, session: Session, now: number): string {
  const { paint } = session;
  const lines = [
    `${paint('bold', run.flow)}  ${stateText(run, paint, now)}`,
    `Run    ${run.id}${run.kind === 'event' ? '' : ` (${run.kind})`}`,
    `Event  ${run.event}`,
    `Began  ${run.createdAt} (${sinceText(run.createdAt, now)})${tookText(run) === '' ? '' : `, took ${tookText(run)}`}`,
    ...(run.parent === null ? [] : [`Of     ${run.parent}`]),
    ...(run.orderingKey === null ? [] : [`Order  ${run.orderingKey}`]),
  ];
  if (run.steps.length > 0) lines.push('', session.table(stepColumns(paint, now), run.steps));
  if (run.error !== null) {
    const { code = '', message = '', fix, step } = run.error;
    lines.push('', `${paint('red', '✗')} ${step === undefined ? '' : `${step}: `}${paint('bold', code)}  ${message}`);
    if (fix !== undefined && fix !== '') lines.push(`  Fix: ${fix}`);
  }
  return lines.join('\n');
}

export function stateText(run: RunAnswer, paint: Paint, now: number): string {
  if (run.state === 'completed' && run.failedSteps.length > 0)
    return paint('yellow', `! completed without ${run.failedSteps.join(', ')}`);
  if (run.state === 'completed') return `${paint('green', '✓')} completed`;
  if (run.state === 'failed') return `${paint('red', '✗')} failed`;
  if (run.state === 'cancelled') return paint('dim', '- cancelled');
  if (run.state === 'running') return `${paint('cyan', '▶')} running`;
  if (run.waitsFor) return paint('yellow', `… waits for the connection ${run.waitsFor.connection}`);
  const isRetry = run.startedAt !== null && Date.parse(run.dueAt) > now;
  return isRetry ? paint('yellow', `… next try ${sinceText(run.dueAt, now)}`) : '… queued';
}

export function isOver(run: RunAnswer): boolean {
  return run.state === 'completed' || run.state === 'failed' || run.state === 'cancelled';
}

function stepColumns(paint: Paint, now: number): readonly Column<StepAnswer>[] {
  const signs = {
    succeeded: paint('green', '✓'),
    failed: paint('red', '✗'),
    skipped: paint('dim', '-'),
    retrying: paint('yellow', '…'),
  };
  return [
    {
      title: 'step',
      text: (step) => `${signs[step.state]} ${step.step}${step.iteration > 0 ? ` #${step.iteration}` : ''}`,
    },
    {
      title: 'state',
      text: (step) => {
        if (step.error?.connection !== undefined && step.state === 'retrying') return 'waits';
        return step.retryAt === null ? step.state : `next try ${sinceText(step.retryAt, now)}`;
      },
    },
    { title: 'tries', text: (step) => String(step.attempts), isNumber: true, drop: 2 },
    { title: 'took', text: (step) => durationText(Date.parse(step.finishedAt) - Date.parse(step.startedAt)), drop: 3 },
    { title: 'result', text: resultText, canShrink: true, drop: 1 },
  ];
}

function resultText({ error, output }: StepAnswer): string {
  if (error !== null) return `${error.code ?? ''} ${error.message ?? ''}`.trim();
  return output == null ? '' : JSON.stringify(output);
}

function tookText(run: RunAnswer): string {
  if (run.finishedAt === null || run.startedAt === null) return '';
  return durationText(Date.parse(run.finishedAt) - Date.parse(run.startedAt));
}
