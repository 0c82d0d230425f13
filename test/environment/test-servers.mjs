import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stops the servers of a test run, whose data nobody needs, and removes its folder. */
export function removeServers(folder) {
  stop(join(folder, 'postgres', 'data', 'postmaster.pid'), 'SIGQUIT');
  const inside = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of inside.filter((each) => each.startsWith('redis-'))) {
    stop(join(folder, name, 'redis.pid'), 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function stop(lock, signal) {
  const [text] = existsSync(lock) ? readFileSync(lock, 'utf8').split('\n') : [];
  const pid = Number(text);
  if (!pid || !isAlive(pid)) return;
  process.kill(pid, signal);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = Date.now() + 10_000; isAlive(pid) && Date.now() < deadline;) Atomics.wait(pause, 0, 0, 10);
}

/** What earlier runs left because they were killed. */
export function removeAbandoned() {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = /^patchbay-test-(\d+)-/.exec(name) ?? [];
    if (pid && !isAlive(Number(pid))) removeServers(join(tmpdir(), name));
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
