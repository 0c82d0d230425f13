import type { AddressInfo } from 'node:net';
import { Module, type DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  ApiKeys,
  PlatformModule,
  Readiness,
  closeHttpApp,
  createHttpApp,
  createLog,
  createMetrics,
  type Store,
} from '#platform';
import { openTestStore } from '../../../test/environment/postgres.js';
import { DevChain } from '../../evm/testing/dev-chain.js';
import { ConsumerSessions, type ConsumerTimes } from '../consumer-sessions.js';
import { StreamsSocket } from '../streams.socket.js';
import { StreamsWebSocket } from '../streams-websocket.js';
import { ChangeFeed, aChange } from './change-feed.js';
import { startStreamProcess, type StreamProcess } from './stream-stage.js';

const log = createLog({ level: 'silent', format: 'json' });

/** A process of the hub: streams, and the server that consumers connect to. */
export interface ConsumerHub {
  readonly streams: StreamProcess;
  readonly sessions: ConsumerSessions;
  readonly app: NestFastifyApplication;
  readonly url: string;
}

/** Hubs that consumers connect to, over a real database and a real chain, and a key that may consume. */
export class ConsumerStage {
  #feed = new ChangeFeed();
  #hubs: ConsumerHub[] = [];

  private constructor(
    readonly store: Store,
    readonly chain: DevChain,
    readonly keys: ApiKeys,
    readonly key: string,
  ) {}

  static async start(): Promise<ConsumerStage> {
    const [chain, store] = await Promise.all([DevChain.start(), openTestStore()]);
    await chain.deploy('DemoToken');
    const keys = new ApiKeys(store.db);
    const { key } = await keys.create({ name: 'consumer', scopes: ['streams:consume'] });
    return new ConsumerStage(store, chain, keys, key);
  }

  /** @param times – long ones, but for what is tested with short ones */
  async startHub(times: Partial<ConsumerTimes> = {}): Promise<ConsumerHub> {
    const { store, chain, keys } = this;
    const streams = await startStreamProcess({ store, chain, feed: this.#feed });
    const sessions = new ConsumerSessions({
      ...{ streams: streams.pumps, keys, log },
      times: { authMs: 30_000, aliveMs: 30_000, ...times },
    });
    const app = await createHttpApp(this.#rootModule(sessions), { publicUrl: 'http://localhost', log });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    const started = { streams, sessions, app, url: `http://127.0.0.1:${port}` };
    this.#hubs.push(started);
    return started;
  }

  /** A stream of so many events, in batches of two. */
  async createStream(name: string, count: number, target: Readonly<Record<string, unknown>> = {}): Promise<void> {
    this.#feed.changes = Array.from({ length: count }, (_, index) => aChange(index));
    await this.#service.create(
      {
        name,
        source: 'transactions',
        from: 'earliest',
        batch: { size: 2, timeout: '20ms' },
        retry: { delay: '10ms', maxDelay: '50ms' },
        target: { type: 'websocket', ...target },
      },
      'test',
    );
  }

  /** How far those who share a stream have come. */
  async placeOf(name: string) {
    const { positions } = await this.#service.get(name);
    return positions.find(({ consumer }) => consumer === '');
  }

  /** Ends what a spec has started. */
  async clear(): Promise<void> {
    for (const { app, streams } of this.#hubs) {
      await closeHttpApp(app);
      await streams.stop();
    }
    this.#feed = new ChangeFeed();
    this.#hubs = [];
    await this.store.db.deleteFrom('stream').execute();
  }

  async close(): Promise<void> {
    await this.chain.stop();
    await this.store.close();
  }

  get #service() {
    const [hub] = this.#hubs;
    if (hub === undefined) throw new Error('No hub is running');
    return hub.streams.service;
  }

  #rootModule(sessions: ConsumerSessions): DynamicModule {
    const { store, keys } = this;
    return {
      module: StreamsModule,
      imports: [
        PlatformModule.with({ db: store.db, keys, metrics: createMetrics(), readiness: new Readiness(store.db) }),
      ],
      providers: [{ provide: ConsumerSessions, useValue: sessions }, StreamsSocket, StreamsWebSocket],
    };
  }
}

@Module({})
class StreamsModule {}
