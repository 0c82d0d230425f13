import type { Line } from '../report.js';
import type { Backend, Bench } from '../setup/bench.js';
import { accept } from './accept.js';
import { adapter } from './adapter.js';
import { backfill } from './backfill.js';
import { burst } from './burst.js';
import { faults } from './faults.js';
import { hooksLatency } from './hooks-latency.js';
import { hooks } from './hooks.js';
import { ifttt } from './ifttt.js';
import { kill } from './kill.js';
import { live } from './live.js';
import { memory } from './memory.js';
import { openapi } from './openapi.js';
import { oracle } from './oracle.js';
import { salesforce } from './salesforce.js';
import { sending } from './sending.js';
import { signers } from './signers.js';
import { start } from './start.js';
import { streamBackfill } from './stream-backfill.js';
import { stream } from './stream.js';
import { zapier } from './zapier.js';

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
  sending: { usesQueue: false, run: sending },
  signers: { usesQueue: false, run: signers },
  accept: { usesQueue: false, run: accept },
  adapter: { usesQueue: false, run: adapter },
  salesforce: { usesQueue: false, run: salesforce },
  zapier: { usesQueue: false, run: zapier },
  ifttt: { usesQueue: false, run: ifttt },
  oracle: { usesQueue: false, run: oracle },
  stream: { usesQueue: false, run: stream },
  'stream-backfill': { usesQueue: false, run: streamBackfill },
  openapi: { usesQueue: false, run: openapi },
};
