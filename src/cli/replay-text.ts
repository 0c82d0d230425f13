import type { ReplayAnswer } from './hub-answers.js';

/** What a replay does or would do, with the calls counted. */
export function replayText(report: ReplayAnswer, { isReal }: { readonly isReal: boolean }): string {
  const started = report.events - report.ignored;
  const calls = Object.entries(report.calls).filter(([, count]) => count > 0);
  const lines = [
    isReal
      ? `${counted(report.events, 'event')}: ${counted(report.runs.length, 'run')} started${ignoredText(report)}.`
      : `${counted(report.events, 'event')}: ${counted(started, 'run')} would start${ignoredText(report)}.`,
  ];
  if (calls.length > 0) {
    lines.push(isReal ? 'Calls, at the most:' : 'Calls that would be made, at the most:');
    const width = Math.max(...calls.map(([, count]) => String(count).length));
    for (const [uses, count] of calls) lines.push(`  ${String(count).padStart(width)} × ${uses}`);
  }
  return lines.join('\n');
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function ignoredText({ ignored }: ReplayAnswer): string {
  return ignored === 0 ? '' : `, ${ignored} ignored because the flow does not take ${ignored === 1 ? 'it' : 'them'}`;
}
