import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createLog } from '../log/log.js';
import { placeCluster } from './cluster-place.js';
import { ensureEmbedded, openEmbedded, stopServer, type EmbeddedServer } from './embedded.js';
import { findPostmaster } from './postmaster.js';
import { openStore } from './store.js';
import { loadConfig } from '../config/config.loader.js';

const log = createLog({ level: 'silent', format: 'json' });
const isRoot = process.getuid?.() === 0;
let dataDir: string;
let cluster: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'patchbay-embedded-'));
  if (isRoot) await chmod(dataDir, 0o711);
  ({ cluster } = await placeCluster(dataDir, log));
});

afterAll(async () => {
  const running = await findPostmaster(cluster);
  if (running) await stopServer(running.pid, cluster);
  await rm(dataDir, { recursive: true, force: true });
});

const open = () => openEmbedded({ dataDir, log, settings: { fsync: 'off' } });
const pid = async () => (await findPostmaster(cluster))?.pid;

async function ask<Row extends pg.QueryResultRow>(
  server: Pick<EmbeddedServer, 'connection'>,
  text: string,
): Promise<Row[]> {
  const client = new pg.Client({ ...server.connection, connectionTimeoutMillis: 30_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function until<T>(what: () => Promise<T | undefined | false>, withinMs = 30_000): Promise<T> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await delay(20)) {
    const found = await what().catch(() => undefined);
    if (found) return found;
  }
  throw new Error('It did not happen in time');
}

describe('the hub’s own database server', () => {
  it('given an empty data folder, when it is opened and closed, then the server runs in between and without TCP', async () => {
    const server = await open();

    expect(await ask(server, `select current_setting('listen_addresses') as tcp`)).toEqual([{ tcp: '' }]);
    await ask(server, 'create table kept (n int)');

    await server.close();
    expect(await pid()).toBeUndefined();
  });

  it('given a server left by a killed hub, when the hub starts, then it is adopted, and stopped at the end', async () => {
    await ensureEmbedded({ dataDir, log });
    const left = await pid();

    const server = await open();

    expect(await pid()).toBe(left);
    expect(await ask(server, 'select * from kept')).toEqual([]);
    await server.close();
    expect(await pid()).toBeUndefined();
  });

  it('given two hubs on one data folder, when one closes, then the other still works', async () => {
    const [first, second] = await Promise.all([open(), open()]);
    const client = new pg.Client(second.connection);
    await client.connect();

    await first.close();

    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    await second.close();
    expect(await pid()).toBeUndefined();
  });

  it('given two hubs and a server that pauses, when one closes, then the other still works', async () => {
    const impatient = await openEmbedded({ dataDir, log, settings: { fsync: 'off' }, answerMs: 300 });
    const other = await open();
    const client = new pg.Client(other.connection);
    await client.connect();
    const running = (await pid()) ?? 0;
    process.kill(running, 'SIGSTOP');

    await impatient.close();

    process.kill(running, 'SIGCONT');
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(await pid()).toBe(running);
    await client.end();
    await other.close();
    expect(await pid()).toBeUndefined();
  });

  it('given a running hub, when the server is killed, then it is started again and keeps what was committed', async () => {
    const server = await open();
    await ask(server, 'insert into kept values (1)');
    const killed = (await pid()) ?? 0;

    process.kill(killed, 'SIGKILL');

    const rows = await until(async () => (await pid()) !== killed && ask(server, 'select n from kept'));
    expect(rows).toEqual([{ n: 1 }]);
    await server.close();
  });

  it('given a power cut whose process id now belongs to another program, when the hub starts, then it starts', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    await writeFile(
      join(cluster, 'postmaster.pid'),
      `${other.pid}\n${cluster}\n0\n5432\n/nowhere\n\n  1 2\nready   \n`,
    );

    const server = await open();

    expect(await ask(server, 'select n from kept')).toEqual([{ n: 1 }]);
    await server.close();
    other.kill('SIGKILL');
  });

  it('given settings the server refuses, when it is opened, then the error says what the server says', async () => {
    const opening = openEmbedded({ dataDir, log, settings: { shared_buffers: 'plenty' } });

    await expect(opening).rejects.toMatchObject({
      code: 'store.unavailable',
      detail: expect.stringContaining('shared_buffers'),
    });
  });

  it('given a data folder with a long name, when the place is chosen, then the socket is somewhere short', async () => {
    const long = join(dataDir, 'a-folder-name-that-takes-a-lot-of-room'.repeat(3));

    const place = await placeCluster(long, log);

    expect(place.cluster.startsWith(long)).toBe(true);
    expect(place.sockets.length).toBeLessThan(90);
    await rm(place.sockets, { recursive: true });
  });

  (isRoot ? it : it.skip)(
    'given a data folder its user may not enter, when the hub runs as root, then the database is elsewhere and noted',
    async () => {
      const home = join(dataDir, 'home');
      await mkdir(join(home, 'data'), { recursive: true });
      await chmod(home, 0o700);

      const place = await placeCluster(join(home, 'data'), log);

      expect(place.cluster).toMatch(/^\/var\/lib\/patchbay\/[0-9a-f]{12}\/data$/);
      expect(place.cluster).toContain((await readFile(join(home, 'data', 'postgres.location'), 'utf8')).trim());
      await rm(join(place.cluster, '..'), { recursive: true });
    },
  );
});

describe('the store', () => {
  it('given no DATABASE_URL, when it is opened twice over a restart, then the tables are there and it survives', async () => {
    const config = { ...loadConfig({}), dataDir };
    const store = await openStore({ config, log });
    await store.db.insertInto('setting').values({ name: 'kept', value: '1' }).execute();

    process.kill((await pid()) ?? 0, 'SIGKILL');

    const found = await until(() => store.db.selectFrom('setting').select('value').executeTakeFirst());
    expect(found).toEqual({ value: 1 });
    await store.close();
  });
});
