import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { afterEach, beforeEach, describe, it } from '@jest/globals';
import { eventually } from '../../../test/builders/eventually.js';
import { openTestStore } from '../../../test/environment/postgres.js';
import { createLog } from '../log/log.js';
import type { Store } from '../store/store.js';
import { Signals } from './signals.js';

const log = createLog({ level: 'silent', format: 'json' });

/** In front of the database: whoever comes has to wait until it is opened. */
class Door {
  readonly waiting: Socket[] = [];
  /** Of those that were let through and are still there. */
  count = 0;
  readonly #server: Server;

  private constructor(private readonly database: string) {
    this.#server = createServer({ pauseOnConnect: true }, (socket) => void this.waiting.push(socket));
  }

  static async before({ pool }: Store): Promise<Door> {
    const { rows } = await pool.query<{ path: string }>(
      `select current_setting('unix_socket_directories') || '/.s.PGSQL.' || current_setting('port') as path`,
    );
    const door = new Door(rows[0]!.path);
    door.#server.listen(0, '127.0.0.1');
    await once(door.#server, 'listening');
    return door;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  open(): void {
    for (const socket of this.waiting.splice(0)) {
      this.count += 1;
      socket.once('close', () => (this.count -= 1));
      // A side that has gone ends the other; how it went is nobody's error here.
      pipeline(socket, connect(this.database), socket, () => undefined);
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('signals', () => {
  let store: Store;
  let door: Door;
  beforeEach(async () => {
    store = await openTestStore();
    door = await Door.before(store);
  });
  afterEach(async () => {
    // Whatever is still connected ends with the database.
    await store.close();
    await door.close();
  });

  it('given a connection that is being made, when they are closed, then nothing is left of it', async () => {
    const { rows } = await store.pool.query<object>('select current_user as user, current_database() as database');
    const connection = { ...rows[0], ...door.address };
    const signals = new Signals({ connection, pool: store.pool, name: 'one', log });
    const started = signals.start();
    await eventually(() => door.waiting.length === 1);

    const closed = signals.close();
    door.open();
    await Promise.all([started, closed]);

    await eventually(() => door.count === 0, { withinMs: 5_000, what: 'The end of the connection' });
  });
});
