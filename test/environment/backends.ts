import { hasRedis, startTestRedis } from './redis.js';

export interface Backend {
  readonly name: string;
  /** Absent: the queue lives in PostgreSQL. */
  readonly redisUrl: string | undefined;
  stop(): Promise<void>;
}

/** Names for `describe.each`: what a run without Redis skips is skipped by name. */
export const backendNames = ['PostgreSQL', 'Redis'] as const;

export function isAvailable(name: (typeof backendNames)[number]): boolean {
  return name === 'PostgreSQL' || hasRedis;
}

export async function startBackend(name: (typeof backendNames)[number]): Promise<Backend> {
  if (name === 'PostgreSQL') return { name, redisUrl: undefined, stop: () => Promise.resolve() };
  const redis = await startTestRedis();
  if (redis === undefined) throw new Error('redis-server is not installed');
  return { name, redisUrl: redis.url, stop: redis.stop };
}
