import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Cleanup } from './cleanup.js';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A private Redis on a socket, without a trace on the disk: the truth is in PostgreSQL. @returns as `REDIS_URL` takes it */
export async function startRedis(parent: string, cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(parent, 'redis-'));
  const socket = join(folder, 'redis.sock');
  const server = spawn(
    'redis-server',
    ['--dir', folder, '--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore', detached: true },
  );
  const ended = new Promise<void>((resolve) => server.once('close', () => resolve()));
  cleanup.add('Redis', async () => {
    server.kill('SIGKILL');
    await ended;
  });
  const client = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: 250 });
  client.on('error', () => undefined);
  await client.ping();
  client.disconnect();
  return socket;
}
