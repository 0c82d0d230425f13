import type { RunDetailAnswer } from './hub-answers.js';
import type { HubClient } from './hub-client.js';
import { isOver } from './run-text.js';
import type { Session } from './session.js';

const askEveryMs = 300;

/** Asks for a run until it is over, and tells of every change. */
export async function followRun(
  id: string,
  hub: HubClient,
  session: Session,
  tell: (run: RunDetailAnswer) => void,
): Promise<RunDetailAnswer> {
  let told = '';
  for (;;) {
    const run = await hub.get<RunDetailAnswer>(`/api/runs/${id}`);
    const state = JSON.stringify([run.state, run.dueAt, run.steps.map((step) => [step.state, step.attempts])]);
    if (state !== told) tell(run);
    told = state;
    if (isOver(run)) return run;
    await session.pause(askEveryMs);
  }
}
