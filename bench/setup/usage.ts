import { readFile, readdir } from 'node:fs/promises';

/** Clock ticks a second of /proc; the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

interface Usage {
  readonly parent: number;
  readonly ownMs: number;
  /** Of children that have ended. */
  readonly childrenMs: number;
}

/** Processor time in milliseconds, with that of all children; undefined where there is no /proc. */
export async function cpuMs(pid: number): Promise<number | undefined> {
  const own = await usageOf(pid);
  if (own === undefined) return undefined;
  let sum = own.ownMs + own.childrenMs;
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const usage = await usageOf(Number(entry));
    if (usage?.parent === pid) sum += usage.ownMs;
  }
  return sum;
}

/** Resident memory in MiB; undefined where there is no /proc. */
export async function residentMib(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+)/m.exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

async function usageOf(pid: number): Promise<Usage | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name in parentheses may hold anything; the numbers begin after it, with the state.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number) => (Number(fields[index]) * 1_000) / ticksPerSecond;
  return { parent: Number(fields[1]), ownMs: ticks(11) + ticks(12), childrenMs: ticks(13) + ticks(14) };
}
