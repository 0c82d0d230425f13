import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stops the database server of a test run, whose data nobody needs, and removes its folder. */
export function removeServer(folder) {
  const lock = join(folder, 'postgres', 'data', 'postmaster.pid');
  const [pid] = existsSync(lock) ? readFileSync(lock, 'utf8').split('\n') : [];
  if (pid && isAlive(Number(pid))) {
    process.kill(Number(pid), 'SIGQUIT');
    const deadline = Date.now() + 10_000;
    while (isAlive(Number(pid)) && Date.now() < deadline)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** What earlier runs left because they were killed. */
export function removeAbandoned() {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = /^patchbay-test-(\d+)-/.exec(name) ?? [];
    if (pid && !isAlive(Number(pid))) removeServer(join(tmpdir(), name));
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
