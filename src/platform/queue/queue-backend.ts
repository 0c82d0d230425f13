import {
  createPostgresBackend,
  Queue,
  Worker,
  type PostgresConnectionOptions,
  type Processor,
  type WorkerOptions,
} from 'bullmq';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '#sdk';
import { createPool, type StoreConnection } from '../store/pool.js';

export interface QueueBackend {
  readonly name: 'postgres' | 'redis';
  newQueue(name: string): Queue;
  newWorker(name: string, process: Processor, options: Omit<WorkerOptions, 'connection'>): Worker;
  close(): Promise<void>;
}

/** One pool for every queue and worker of the process; each worker keeps one of its connections to be notified on. */
export function postgresBackend(store: StoreConnection, log: Logger): QueueBackend {
  const pool = createPool(
    {
      ...store,
      max: 5,
      // Jobs are hints that can be found missing, so nobody waits until the disk has them.
      options: '-c search_path=bullmq -c synchronous_commit=off',
      statement_timeout: 8000,
      // A connection whose packets vanish silently would otherwise hold a worker for minutes.
      query_timeout: 9000,
      idle_in_transaction_session_timeout: 30_000,
    },
    log,
  );
  // Every queue and worker listens for errors of the pool.
  pool.setMaxListeners(0);
  // BullMQ describes the pool in types of its own, and its classes name Redis unless told otherwise at every place;
  // what the hub uses of them is the same.
  const connection = pool as unknown as PostgresConnectionOptions;
  const listening = new Set<string>();
  return {
    name: 'postgres',
    newQueue: (name) => new Queue(name, { connection }, createPostgresBackend) as unknown as Queue,
    newWorker: (name, process, options) => {
      if (!listening.has(name)) pool.options.max += 1;
      listening.add(name);
      return new Worker(name, process, { ...options, connection }, createPostgresBackend) as unknown as Worker;
    },
    close: () => pool.end(),
  };
}

/** One client for all producers, which give up soon, and one for all workers, which never do. */
export function redisBackend(url: string, onError: (error: Error) => void): QueueBackend {
  const clients: (Redis | Cluster)[] = [];
  const open = (options: RedisOptions): Redis | Cluster => {
    const client = connectRedis(url, options);
    client.on('error', onError);
    clients.push(client);
    return client;
  };
  // In a cluster all keys of a queue must be on one node: the braces say what decides on the node.
  const prefix = '{patchbay}';
  let producer: Redis | Cluster | undefined;
  let consumer: Redis | Cluster | undefined;
  return {
    name: 'redis',
    newQueue: (name) => {
      producer ??= open({ maxRetriesPerRequest: 1, commandTimeout: 5000 });
      return new Queue(name, { connection: producer, prefix });
    },
    newWorker: (name, process, options) => {
      consumer ??= open({ maxRetriesPerRequest: null });
      return new Worker(name, process, { ...options, connection: consumer, prefix });
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.quit().catch(() => client.disconnect())));
    },
  };
}

function connectRedis(url: string, options: RedisOptions): Redis | Cluster {
  const addresses = url.split(',').map((address) => address.trim());
  const retryStrategy = (attempt: number) => Math.min(attempt * 100, 2000);
  const [first = ''] = addresses;
  if (addresses.length === 1) return new Redis(first, { ...options, retryStrategy, connectTimeout: 5000 });
  const { username, password, protocol } = new URL(first);
  return new Cluster(addresses, {
    clusterRetryStrategy: retryStrategy,
    redisOptions: {
      ...options,
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    },
  });
}
