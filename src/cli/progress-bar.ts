import type { Io } from './io.js';
import { durationText } from './time-text.js';

export interface ProgressBar {
  update(done: number, total: number, note?: string): void;
  /** Leaves the last state standing. */
  end(): void;
}

const barWidth = 24;
const redrawEveryMs = 100;
const lineEveryMs = 10_000;

/** Done of total, rate and time left, on the side of the notes; off a terminal one line every 10 s and one at the end. */
export function createProgressBar(
  what: string,
  io: Pick<Io, 'err' | 'write' | 'isErrTerminal'>,
  now: () => number = Date.now,
): ProgressBar {
  const startedAt = now();
  let latest: string | undefined;
  let drawnAt = io.isErrTerminal ? -Infinity : startedAt;
  return {
    update(done, total, note) {
      latest = progressText(what, { done, total, note, elapsedMs: now() - startedAt, hasBar: io.isErrTerminal });
      if (now() - drawnAt < (io.isErrTerminal ? redrawEveryMs : lineEveryMs)) return;
      drawnAt = now();
      if (io.isErrTerminal) io.write(`\r\u001b[K${latest}`);
      else io.err(latest);
    },
    end() {
      if (latest === undefined) return;
      if (io.isErrTerminal) io.write(`\r\u001b[K${latest}\n`);
      else io.err(latest);
    },
  };
}

interface State {
  readonly done: number;
  readonly total: number;
  readonly note: string | undefined;
  readonly elapsedMs: number;
  readonly hasBar: boolean;
}

function progressText(what: string, { done, total, note, elapsedMs, hasBar }: State): string {
  const rate = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0;
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const filled = Math.round(share * barWidth);
  const parts = [
    what,
    ...(hasBar ? [`${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`] : []),
    total > 0 ? `${done}/${total}` : String(done),
    ...(rate > 0 ? [`${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`] : []),
    ...(rate > 0 && done < total ? [`${durationText(((total - done) / rate) * 1_000)} left`] : []),
    ...(note === undefined ? [] : [note]),
  ];
  return parts.join('  ');
}
