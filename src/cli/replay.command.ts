import { exitCodes, type ExitCode } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import type { BackfillAnswer, ReplayAnswer } from './hub-answers.js';
import { Interrupted } from './io.js';
import { createProgressBar } from './progress-bar.js';
import { counted, replayText } from './replay-text.js';
import type { Session } from './session.js';
import { timeOf } from './time-text.js';

export interface ReplayOptions {
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly since?: string;
  readonly until?: string;
  readonly real?: boolean;
  readonly storeOnly?: boolean;
}

/** New runs from the past: from stored events, or from blocks that are read again. Without `--real` nothing is started. */
export async function replayCommand(flow: string, options: ReplayOptions, session: Session): Promise<ExitCode> {
  const { fromBlock, toBlock, since, until, real = false, storeOnly = false } = options;
  if (toBlock !== undefined && fromBlock === undefined) throw new UsageError('--to-block needs --from-block.');
  if (fromBlock !== undefined && (since ?? until) !== undefined) {
    throw new UsageError('Replay blocks or stored events: --from-block does not go with --since and --until.');
  }
  if (storeOnly && fromBlock === undefined)
    throw new UsageError('--store-only needs --from-block: stored events are stored.');
  if (storeOnly && real) throw new UsageError('--store-only starts no runs and --real does: choose one.');
  if (fromBlock === undefined) return replayStored(flow, { since, until, isReal: real }, session);

  const from = blockOf(fromBlock, '--from-block');
  const to = toBlock === undefined ? undefined : blockOf(toBlock, '--to-block');
  if (to !== undefined && to < from) throw new UsageError(`--to-block ${to} lies before --from-block ${from}.`);
  const range =
    to === undefined
      ? `blocks ${from} to the newest final one`
      : `${counted(Number(to - from) + 1, 'block')}, ${from} to ${to}`;
  if (!real && !storeOnly) {
    await (await session.hub()).get(`/api/flows/${encodeURIComponent(flow)}`);
    session.show(
      { flow, from: String(from), to: to === undefined ? null : String(to), started: false },
      () => `${range} would be read for ${flow}.`,
    );
    session.note('Nothing was started. --store-only keeps the events without runs, --real starts a run for each.');
    return exitCodes.done;
  }
  if (real) await session.confirm(`${flow}: ${range} will be read, and a run started for every event the flow takes.`);
  const hub = await session.hub();
  const backfill = await hub.post<BackfillAnswer>(`/api/flows/${encodeURIComponent(flow)}/backfills`, {
    from: String(from),
    ...(to !== undefined && { to: String(to) }),
    startRuns: real,
  });
  return watchBackfill(backfill.id, session);
}

async function replayStored(
  flow: string,
  options: { readonly since: string | undefined; readonly until: string | undefined; readonly isReal: boolean },
  session: Session,
): Promise<ExitCode> {
  const span = {
    ...(options.since !== undefined && { since: instant(options.since, '--since') }),
    ...(options.until !== undefined && { until: instant(options.until, '--until') }),
  };
  const hub = await session.hub();
  const path = `/api/flows/${encodeURIComponent(flow)}/replay`;
  const preview = await hub.post<ReplayAnswer>(path, { ...span, dryRun: true });
  if (!options.isReal) {
    session.show(preview, () => replayText(preview, { isReal: false }));
    session.note('Nothing was started. Add --real to do it.');
    return exitCodes.done;
  }
  await session.confirm(replayText(preview, { isReal: false }));
  const report = await hub.post<ReplayAnswer>(path, { ...span, dryRun: false });
  session.show(report, () => replayText(report, { isReal: true }));
  return exitCodes.done;
}

/** Shows how far a backfill is until it ends; Ctrl+C leaves it to the hub. */
export async function watchBackfill(id: string, session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  const bar = createProgressBar('blocks', session.io);
  for (;;) {
    const backfill = await hub.get<BackfillAnswer>(`/api/backfills/${encodeURIComponent(id)}`);
    bar.update(backfill.done, backfill.total, counted(backfill.events, 'event'));
    if (backfill.state !== 'running') {
      bar.end();
      return reportBackfill(backfill, session);
    }
    try {
      await session.pause(300);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      bar.end();
      session.io.err(
        `It goes on in the hub. See it again: npx patchbay backfill watch ${id}; end it: npx patchbay backfill cancel ${id}`,
      );
      throw error;
    }
  }
}

export async function cancelBackfill(id: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const backfill = await hub.delete<BackfillAnswer>(`/api/backfills/${encodeURIComponent(id)}`);
  session.show(
    backfill,
    () =>
      `The backfill is ${backfill.state}; ${counted(backfill.events, 'event')} read from ${counted(backfill.done, 'block')}.`,
  );
}

function reportBackfill(backfill: BackfillAnswer, session: Session): ExitCode {
  if (backfill.state === 'failed') {
    const { code = 'internal', message = '', fix } = backfill.error ?? {};
    throw new CommandError(exitCodes.failed, `The backfill of ${backfill.flow} failed: ${code}  ${message}`, fix);
  }
  session.show(backfill, () => {
    const read = `${counted(backfill.events, 'event')} read from ${counted(backfill.done, 'block')}`;
    if (backfill.state === 'cancelled') return `${read}, then cancelled.`;
    return backfill.startsRuns
      ? `${read}; a run was started for each that was new.`
      : `${read} and stored. Start their runs: npx patchbay replay ${backfill.flow}`;
  });
  return backfill.state === 'completed' ? exitCodes.done : exitCodes.failed;
}

function blockOf(text: string, flag: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new UsageError(`${flag} needs a block number; ${text} is none.`);
}

function instant(text: string, flag: string): string {
  const time = timeOf(text, Date.now());
  if (time !== undefined) return time;
  throw new UsageError(`${flag} ${text} is no time.`, 'Write 2026-01-31, 2026-01-31T12:00:00Z or an age such as 2h.');
}
