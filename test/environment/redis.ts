import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export interface TestRedis {
  /** As `REDIS_URL` takes it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A private Redis on a socket; undefined when the program is not installed. */
export async function startTestRedis(): Promise<TestRedis | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-redis-'));
  const socket = join(folder, 'redis.sock');
  const options = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.once('exit', () => resolve());
  });
  const stop = async () => {
    server.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const client = new Redis(socket, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: 250 });
  client.on('error', () => undefined);
  const isUp = await Promise.race([client.ping().then(() => true), ended.then(() => false)]).catch(() => false);
  client.disconnect();
  if (isUp) return { url: socket, stop };
  await stop();
  return undefined;
}
