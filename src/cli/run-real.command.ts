import { randomUUID } from 'node:crypto';
import { readEvent } from './event-file.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import { followRun } from './follow.js';
import type { ManualRunAnswer, RunDetailAnswer } from './hub-answers.js';
import { counted } from './replay-text.js';
import { runText, stateText } from './run-text.js';
import type { Session } from './session.js';

export interface RealRunOptions {
  readonly event: string;
  readonly idempotencyKey?: string;
}

/** Hands the hub an event for one flow, and follows the run to its end. */
export async function realRunCommand(flow: string, options: RealRunOptions, session: Session): Promise<ExitCode> {
  const event = await readEvent(options.event, session.io);
  const hub = await session.hub();
  const name = flow.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '');
  const started = await hub.post<ManualRunAnswer>(
    `/api/flows/${encodeURIComponent(name)}/runs`,
    { event },
    { 'idempotency-key': options.idempotencyKey ?? randomUUID() },
  );
  if (started.ignored !== undefined) {
    session.show(started, () => `${name}: ignored: ${started.ignored ?? ''}`);
    return exitCodes.done;
  }
  if (started.duplicates > 0) session.note('An event with this key was sent before; this is the run it started then.');
  session.note(`${counted(started.runs.length, 'run')} started; Ctrl+C stops watching, not the run.`);
  const runs: RunDetailAnswer[] = [];
  for (const id of started.runs) {
    runs.push(await followRun(id, hub, session, (run) => session.note(stateText(run, session.paint, Date.now()))));
  }
  session.show(runs.length === 1 ? runs[0] : runs, () =>
    runs.map((run) => runText(run, session, Date.now())).join('\n\n'),
  );
  return runs.every((run) => run.state === 'completed') ? exitCodes.done : exitCodes.failed;
}
