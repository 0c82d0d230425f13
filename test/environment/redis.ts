import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { testFolder } from './postgres.js';

/** Specs that need Redis are skipped by name where this is false. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export interface TestRedis {
  /** As `REDIS_URL` takes it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A private Redis on a socket, without a port and without a trace on the disk. */
export async function startTestRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(testFolder(), 'redis-'));
  const socket = join(folder, 'redis.sock');
  const place = ['--dir', folder, '--port', '0', '--unixsocket', socket, '--pidfile', join(folder, 'redis.pid')];
  const server = spawn('redis-server', [...place, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()));
  const client = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: 250 });
  client.on('error', () => undefined);
  await client.ping();
  client.disconnect();
  return {
    url: socket,
    stop: async () => {
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
