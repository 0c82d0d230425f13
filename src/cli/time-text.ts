const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The two largest units: `3 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const parts: string[] = [];
  let left = ms;
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join(' ');
}

/** `5 s ago`, or `in 5 s`. */
export function sinceText(time: string | null | undefined, now: number): string {
  if (time == null) return '';
  const ms = now - Date.parse(time);
  return ms < 0 ? `in ${durationText(-ms)}` : `${durationText(ms)} ago`;
}

/** A time as the API wants it, from a date, a time or an age such as `90s`, `30m`, `2h`, `7d`. */
export function timeOf(text: string, now: number): string | undefined {
  const age = /^(\d+)(s|m|h|d)$/.exec(text);
  if (age) {
    const size = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[age[2] as 's' | 'm' | 'h' | 'd'];
    return new Date(now - Number(age[1]) * size).toISOString();
  }
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
