import { exitCodes, type ExitCode } from './exit-code.js';
import type { SyncAnswer, SyncDetailAnswer } from './hub-answers.js';
import { Interrupted } from './io.js';
import type { Paint } from './paint.js';
import { createProgressBar } from './progress-bar.js';
import type { Session } from './session.js';
import { sinceText } from './time-text.js';

const lookEveryMs = 300;

export async function listSyncs(session: Session): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<{ syncs: readonly SyncAnswer[] }>('/api/syncs');
  session.show(answer, () => {
    if (answer.syncs.length === 0) return 'No syncs. Put a file that begins with sync: into the flow folder.';
    return session.table(
      [
        { title: 'sync', text: (sync: SyncAnswer) => sync.name },
        { title: 'state', text: (sync) => stateText(sync, session.paint) },
        { title: 'agreed', text: ({ counts }) => String(counts.agreed) },
        { title: 'differing', text: ({ counts }) => String(counts.differing) },
        { title: 'failed', text: ({ counts }) => String(counts.failed) },
        { title: 'open', text: ({ counts }) => String(counts.open), drop: 1 },
        { title: 'last check', text: (sync) => passText(sync), canShrink: true, drop: 2 },
      ],
      answer.syncs,
    );
  });
}

export async function showSync(name: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const sync = await hub.get<SyncDetailAnswer>(pathOf(name));
  session.show(sync, () => {
    const { counts } = sync;
    return [
      `${session.paint('bold', sync.name)}  ${stateText(sync, session.paint)}  ${sync.file}`,
      ...(sync.description === undefined ? [] : [sync.description]),
      `${counts.agreed} of ${counts.rows} agreed, ${counts.differing} differing, ${counts.failed} failed, ${counts.open} open`,
      ...(sync.pass === null ? [] : [passText(sync)]),
      `flows: ${sync.flows.join(', ')}`,
      ...[...sync.faults, ...sync.warnings].map(
        ({ line = 1, column = 1, detail, fix }) =>
          `${sync.file}:${line}:${column}  ${detail}${fix === undefined ? '' : ` ${fix}`}`,
      ),
      ...sync.rows.map(({ key, state, error }) =>
        `${session.paint('red', state)}  ${key}  ${error?.message ?? ''}`.trimEnd(),
      ),
    ].join('\n');
  });
}

/** Compares both sides as a whole and shows how far that is; Ctrl+C leaves it to the hub. */
export async function checkSync(name: string, session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  const before = await hub.get<SyncDetailAnswer>(pathOf(name));
  await hub.post(`${pathOf(name)}/check`, {});
  const bar = createProgressBar('keys', session.io);
  for (;;) {
    const sync = await hub.get<SyncDetailAnswer>(pathOf(name));
    const { pass } = sync;
    const isNew = pass !== null && pass.startedAt !== before.pass?.startedAt;
    if (isNew) bar.update(pass.done, pass.total, `${pass.differing} differing`);
    if (isNew && pass.state === 'finished') {
      bar.end();
      session.show(sync, () => `${name}: ${passText(sync)}`);
      return pass.failed > 0 || pass.differing > pass.repaired ? exitCodes.failed : exitCodes.done;
    }
    try {
      await session.pause(lookEveryMs);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      bar.end();
      session.io.err(`It goes on in the hub. See it again: npx patchbay sync show ${name}`);
      throw error;
    }
  }
}

function stateText({ state, faults }: SyncAnswer, paint: Paint): string {
  if (faults.length > 0) return paint('red', `${state}, its file has faults`);
  return state === 'running' ? paint('green', state) : paint('yellow', state);
}

function passText({ pass }: SyncAnswer): string {
  if (pass === null) return 'not yet';
  const { kind, state, done, total, differing, repaired, failed, startedAt, finishedAt } = pass;
  if (state === 'running') return `${kind} ${done} of ${total}, ${differing} differing, ${failed} failed`;
  return `${kind} ${sinceText(finishedAt ?? startedAt, Date.now())}: ${done} looked at, ${differing} differing, ${repaired} repaired, ${failed} failed`;
}

function pathOf(name: string): string {
  return `/api/syncs/${encodeURIComponent(name)}`;
}
