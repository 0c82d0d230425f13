import { readEvent } from './event-file.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import { UsageError } from './failure.js';
import type { PageAnswer, RunAnswer, RunDetailAnswer } from './hub-answers.js';
import { counted } from './replay-text.js';
import { runColumns, runText } from './run-text.js';
import { queryOf, reportActed, type RunsFilter } from './runs.command.js';
import type { Session } from './session.js';

export interface RetryOptions {
  readonly flow?: string;
  readonly all?: boolean;
  readonly event?: string;
  readonly wait?: boolean;
}

/** As many as the hub takes at once. */
const batchSize = 1_000;

export async function listDeadLetters(filter: Omit<RunsFilter, 'state' | 'event'>, session: Session): Promise<void> {
  const hub = await session.hub();
  const page = await hub.get<PageAnswer<RunAnswer>>(`/api/dead-letters?${queryOf(filter)}`);
  const columns = runColumns(session.paint, Date.now()).filter(
    (column) => column.title !== 'state' && column.title !== 'took',
  );
  session.show(page, () => (page.items.length === 0 ? 'No dead letters.' : session.table(columns, page.items)));
  if (page.next !== undefined) session.note(`There are more: --before ${page.next}`);
}

export async function showDeadLetter(id: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const run = await hub.get<RunDetailAnswer>(`/api/dead-letters/${encodeURIComponent(id)}`);
  session.show(
    run,
    () => `${runText(run, session, Date.now())}\n\nEvent data:\n${JSON.stringify(run.data, undefined, 2)}`,
  );
}

/** One, with its event corrected if a file is given, or all of a flow. */
export async function retryDeadLetters(
  id: string | undefined,
  options: RetryOptions,
  session: Session,
): Promise<ExitCode> {
  if (id === undefined) return retryMany(options, session);
  if (options.all === true || options.flow !== undefined)
    throw new UsageError('Name one dead letter, or --flow and --all.');
  const edit = options.event === undefined ? {} : { event: await readEvent(options.event, session.io) };
  const hub = await session.hub();
  const run = await hub.post<RunDetailAnswer>(`/api/dead-letters/${encodeURIComponent(id)}/retry`, edit);
  return reportActed(run, 'goes on at its first unfinished step', options, session);
}

async function retryMany({ flow, all = false, event }: RetryOptions, session: Session): Promise<ExitCode> {
  if (!all) throw new UsageError('Name a dead letter by its id, or say --all (with --flow for one flow only).');
  if (event !== undefined) throw new UsageError('--event corrects one dead letter; name it by its id.');
  await session.confirm(
    `All dead letters${flow === undefined ? '' : ` of ${flow}`} will be tried again, without those that their trigger refused.`,
  );
  const hub = await session.hub();
  const retried: string[] = [];
  for (;;) {
    const batch = await hub.post<{ retried: readonly string[] }>('/api/dead-letters/retry', {
      ...(flow !== undefined && { flow }),
      limit: batchSize,
    });
    retried.push(...batch.retried);
    if (batch.retried.length < batchSize) break;
  }
  session.show({ retried }, () => `${counted(retried.length, 'run')} will be tried again.`);
  return exitCodes.done;
}

export async function dropDeadLetter(id: string, session: Session): Promise<void> {
  await session.confirm(`The dead letter ${id} will be given up for good.`);
  const hub = await session.hub();
  await hub.delete(`/api/dead-letters/${encodeURIComponent(id)}`);
  session.show({ dropped: id }, () => `The dead letter ${id} is dropped.`);
}
