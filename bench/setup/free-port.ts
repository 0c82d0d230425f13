import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [lowest, end] = portsNotGiven();

/**
 * A port of this machine that stays free until it is listened on, and while a server on it is restarted: no connection
 * is given it in between.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, end);
    if (await isFree(port)) return port;
  }
}

/**
 * Above what services use, and outside of what the system gives to connections, as far as there is room: Linux says what
 * that is, and others begin at 49,152.
 */
function portsNotGiven(): readonly [lowest: number, end: number] {
  const [first = 49_152, last = 65_535] = rangeOfConnections();
  if (first >= 22_000) return [20_000, first];
  return last < 64_000 ? [last + 1, 65_536] : [20_000, 65_536];
}

function rangeOfConnections(): readonly number[] {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
  } catch {
    return [];
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
