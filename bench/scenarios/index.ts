import type { Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { backfill } from './backfill.js';
import { burst } from './burst.js';
import { faults } from './faults.js';
import { hooksLatency } from './hooks-latency.js';
import { hooks } from './hooks.js';
import { kill } from './kill.js';
import { live } from './live.js';
import { memory } from './memory.js';
import { start } from './start.js';

export interface Scenario {
  /** Whether it is worth measuring on each queue backend. */
  readonly usesQueue: boolean;
  readonly run: (bench: Bench, backend: Backend) => Promise<Line[]>;
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  hooks: { usesQueue: true, run: hooks },
  'hooks-latency': { usesQueue: true, run: hooksLatency },
  live: { usesQueue: true, run: live },
  burst: { usesQueue: true, run: burst },
  backfill: { usesQueue: false, run: backfill },
  memory: { usesQueue: true, run: memory },
  start: { usesQueue: false, run: start },
  faults: { usesQueue: true, run: faults },
  kill: { usesQueue: true, run: kill },
};
