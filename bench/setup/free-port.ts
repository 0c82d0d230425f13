import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those that systems give to connections (from 32,768 on Linux, 49,152 elsewhere), above what services use. */
const [lowest, highest] = [20_000, 32_000];

/**
 * A port of this machine that stays free until it is listened on, and while a server on it is restarted: no connection
 * is given it in between.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
