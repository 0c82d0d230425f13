import { parseGoDuration } from './duration.js';

export interface CronTimes {
  readonly cron: string;
  readonly timezone: string;
}

const named: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** Undefined when no cron expression has these times, as for `@every 7h`. */
export function cronOf(schedule: string): CronTimes | undefined {
  const every = /^@every\s+(\S+)$/.exec(schedule.trim())?.[1];
  if (every !== undefined) return cronOfInterval(parseGoDuration(every));
  const [, timezone, times] = /^CRON_TZ=(\S+)\s+(.*)$/.exec(schedule.trim()) ?? [];
  if (timezone === undefined || times === undefined) return undefined;
  const cron = times.startsWith('@') ? named[times] : times;
  return cron === undefined ? undefined : { cron, timezone };
}

/** Nodes count from their start, a cron expression from the full minute, hour or day. */
function cronOfInterval(ms: number | undefined): CronTimes | undefined {
  if (ms === undefined || ms < 1_000 || ms % 1_000 !== 0) return undefined;
  const seconds = ms / 1_000;
  if (seconds < 60) return divides(seconds, 60) ? utc(`*/${String(seconds)} * * * * *`) : undefined;
  if (seconds % 60 !== 0) return undefined;
  const minutes = seconds / 60;
  if (minutes < 60) return divides(minutes, 60) ? utc(`*/${String(minutes)} * * * *`) : undefined;
  if (minutes % 60 !== 0) return undefined;
  const hours = minutes / 60;
  return hours <= 24 && divides(hours, 24) ? utc(hours === 24 ? '0 0 * * *' : `0 */${String(hours)} * * *`) : undefined;
}

function divides(part: number, whole: number): boolean {
  return whole % part === 0;
}

function utc(cron: string): CronTimes {
  return { cron, timezone: 'UTC' };
}
