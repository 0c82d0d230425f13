import { exitCodes, type ExitCode } from './exit-code.js';
import { followRun } from './follow.js';
import type { PageAnswer, ReplayAnswer, RunAnswer, RunDetailAnswer } from './hub-answers.js';
import { replayText } from './replay-text.js';
import { runColumns, runText, stateText } from './run-text.js';
import type { Session } from './session.js';

export interface RunsFilter {
  readonly flow?: string;
  readonly state?: string;
  readonly event?: string;
  readonly limit?: string;
  readonly before?: string;
}

export async function listRuns(filter: RunsFilter, session: Session): Promise<void> {
  const hub = await session.hub();
  const page = await hub.get<PageAnswer<RunAnswer>>(`/api/runs?${queryOf(filter)}`);
  session.show(page, () =>
    page.items.length === 0 ? 'No runs.' : session.table(runColumns(session.paint, Date.now()), page.items),
  );
  if (page.next !== undefined) session.note(`There are more: --before ${page.next}`);
}

export async function showRun(id: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const run = await hub.get<RunDetailAnswer>(`/api/runs/${encodeURIComponent(id)}`);
  session.show(run, () => runText(run, session, Date.now()));
}

/** Follows one run to its end, or all new ones until Ctrl+C. */
export async function watchRuns(id: string | undefined, filter: RunsFilter, session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  if (id === undefined) return watchAll(filter, session);
  const run = await followRun(encodeURIComponent(id), hub, session, (seen) => {
    if (session.isJson) session.io.out(JSON.stringify(seen));
    else session.note(progressLine(seen, session));
  });
  if (!session.isJson) session.io.out(runText(run, session, Date.now()));
  return run.state === 'completed' ? exitCodes.done : exitCodes.failed;
}

async function watchAll(filter: RunsFilter, session: Session): Promise<never> {
  const hub = await session.hub();
  const seen = new Map<string, string>();
  const query = queryOf({ limit: '100', ...filter });
  for (let isFirst = true; ; isFirst = false) {
    const { items } = await hub.get<PageAnswer<RunAnswer>>(`/api/runs?${query}`);
    for (const run of [...items].reverse()) {
      if (seen.get(run.id) === run.state) continue;
      seen.set(run.id, run.state);
      if (isFirst) continue;
      session.io.out(
        session.isJson ? JSON.stringify(run) : `${run.id}  ${run.flow}  ${stateText(run, session.paint, Date.now())}`,
      );
    }
    if (isFirst) session.note('Waiting for runs; Ctrl+C ends it.');
    await session.pause(300);
  }
}

export async function retryRun(id: string, options: { readonly wait?: boolean }, session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  const run = await hub.post<RunDetailAnswer>(`/api/runs/${encodeURIComponent(id)}/retry`);
  return reportActed(run, 'goes on at its first unfinished step', options, session);
}

/** @returns 1 when it was waited for and the run failed */
export async function reportActed(
  run: RunDetailAnswer,
  what: string,
  { wait = false }: { readonly wait?: boolean },
  session: Session,
): Promise<ExitCode> {
  if (!wait) {
    session.show(run, () => `The run ${run.id} of ${run.flow} ${what}. Follow it: npx patchbay runs watch ${run.id}`);
    return exitCodes.done;
  }
  const ended = await followRun(run.id, await session.hub(), session, (seen) =>
    session.note(progressLine(seen, session)),
  );
  session.show(ended, () => runText(ended, session, Date.now()));
  return ended.state === 'completed' ? exitCodes.done : exitCodes.failed;
}

export async function replayRun(
  id: string,
  options: { readonly real?: boolean; readonly as?: 'then' | 'now' },
  session: Session,
): Promise<void> {
  const hub = await session.hub();
  const path = `/api/runs/${encodeURIComponent(id)}/replay`;
  const version = options.as ?? 'now';
  const preview = await hub.post<ReplayAnswer>(path, { version, dryRun: true });
  if (options.real !== true) {
    session.show(preview, () => replayText(preview, { isReal: false }));
    session.note('Nothing was started. Add --real to do it.');
    return;
  }
  await session.confirm(replayText(preview, { isReal: false }));
  const report = await hub.post<ReplayAnswer>(path, { version, dryRun: false });
  session.show(report, () => replayText(report, { isReal: true }));
}

export async function cancelRun(id: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const run = await hub.post<RunDetailAnswer>(`/api/runs/${encodeURIComponent(id)}/cancel`);
  const done = run.steps.filter((step) => step.state === 'succeeded').map((step) => step.step);
  session.show(run, () =>
    done.length === 0
      ? `The run ${run.id} is cancelled; nothing had been done.`
      : `The run ${run.id} is cancelled. Done already, and not undone: ${done.join(', ')}.`,
  );
}

export function queryOf(filter: object): string {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return new URLSearchParams(given).toString();
}

function progressLine(run: RunDetailAnswer, session: Session): string {
  const steps = run.steps.map((step) => `${step.step} ${step.state}`).join(', ');
  return `${stateText(run, session.paint, Date.now())}${steps === '' ? '' : `  ${steps}`}`;
}
