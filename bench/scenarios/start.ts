import { spawn } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadNow, type Line } from '../report.js';
import type { Bench } from '../setup/bench.js';
import { freePort } from '../setup/free-port.js';
import { projectFolder } from '../setup/hub.js';
import { median } from '../statistics.js';

const rounds = 3;

/** `npm start` on a warm checkout: database, sandbox with its chain, hub and example flows. */
export async function start(bench: Bench): Promise<Line[]> {
  const first: number[] = [];
  const again: number[] = [];
  const load = loadNow();
  for (let round = 0; round < rounds; round += 1) {
    const folder = await mkdtemp(join(bench.folder, 'start-'));
    // A database server started by root belongs to another user, who must be able to enter.
    await chmod(folder, 0o755);
    bench.say(`round ${round + 1} of ${rounds}: in an empty data folder, then once more`);
    first.push(await startOnce(bench, join(folder, 'data')));
    again.push(await startOnce(bench, join(folder, 'data')));
  }
  const line = { scenario: 'start', backend: '', unit: 's', load, target: { is: 'under', value: 8 } } as const;
  return [
    { ...line, what: 'npm start → ready, first time: database made, contracts deployed', value: median(first) },
    { ...line, what: 'npm start → ready, with kept state', value: median(again) },
  ];
}

/** @returns the seconds until it said that it is ready, the start of Node and the look for changed files included */
async function startOnce(bench: Bench, dataDir: string): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['scripts/patchbay.mjs', 'start', '--sandbox'], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PATCHBAY_PORT: String(await freePort()),
      PATCHBAY_DATA_DIR: dataDir,
    },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  };
  bench.cleanup.add('hub with sandbox', stop);
  let seconds = Number.NaN;
  // It goes on until the first transfer has arrived everywhere, so that it is stopped as a person would: at rest.
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('Ready after')) seconds = (performance.now() - startedAt) / 1_000;
      if (line.includes('Make another')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`The hub ended (${code}) before it was ready`)));
  });
  await stop();
  return seconds;
}
