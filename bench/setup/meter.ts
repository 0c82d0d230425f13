import type { Line } from '../report.js';
import type { Bench } from './bench.js';
import { cpuMs } from './usage.js';

/** Processor time of the hub and of its database from here on. */
export async function startMeter(
  bench: Bench,
  hub: { readonly pid: number },
): Promise<(events: number) => Promise<Line['cpuPerEvent']>> {
  const read = () => Promise.all([cpuMs(hub.pid), bench.postgresCpuMs()]);
  const [hubBefore, databaseBefore] = await read();
  return async (events) => {
    const [hubAfter, databaseAfter] = await read();
    if (hubBefore === undefined || databaseBefore === undefined) return undefined;
    if (hubAfter === undefined || databaseAfter === undefined) return undefined;
    return { hub: (hubAfter - hubBefore) / events, postgres: (databaseAfter - databaseBefore) / events };
  };
}
