import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Socket } from 'socket.io';
import type { ApiKeys, Caller } from '#platform';
import { silentLog } from '../../test/builders/action-call.js';
import { eventually } from '../../test/builders/eventually.js';
import { ConsumerSessions } from './consumer-sessions.js';
import { StreamsSocket } from './streams.socket.js';
import { overSocketIo, streamsSocket } from './testing/consumer-clients.js';
import { ConsumerStage, type ConsumerHub } from './testing/consumer-stage.js';

let stage: ConsumerStage;
let hub: ConsumerHub;

beforeAll(async () => {
  stage = await ConsumerStage.start();
});

afterAll(() => stage.close());

beforeEach(async () => {
  hub = await stage.startHub();
});

afterEach(() => stage.clear());

describe('the key of a consumer over socket.io', () => {
  it('given socket.io without the scope, when it connects, then it is refused', async () => {
    const { key: reader } = await stage.keys.create({ name: 'reader', scopes: ['streams:read'] });

    await expect(overSocketIo(hub.url, reader)).rejects.toThrow('auth.forbidden');
  });
});

describe('a consumer over socket.io that leaves', () => {
  it('given its key is still being looked up, when it disconnects, then nothing is kept of it', async () => {
    let found: (caller: Caller) => void = () => undefined;
    const keys = { authenticate: () => new Promise<Caller>((resolve) => (found = resolve)) } as unknown as ApiKeys;
    const sessions = new ConsumerSessions({ streams: hub.streams.pumps, keys, log: silentLog });
    const gateway = new StreamsSocket(sessions);
    const ended: string[] = [];
    const socket = {
      handshake: { auth: { key: 'its key' } },
      on: () => undefined,
      emit: (type: string) => void ended.push(type),
      disconnect: () => undefined,
    } as unknown as Socket;

    gateway.handleConnection(socket);
    gateway.handleDisconnect(socket);
    found({ name: 'consumer', scopes: ['streams:consume'] } as unknown as Caller);
    await new Promise(setImmediate);
    await sessions.stop();

    expect(ended).toEqual([]);
  });
});

describe('acknowledgements of socket.io', () => {
  it('given a batch, when it is refused for a reason that is no text, then it comes again with that noted', async () => {
    await stage.createStream('orders', 2);
    const socket = streamsSocket(hub.url, stage.key);
    socket.once('batch', (_, done: (answer: unknown) => void) => done({ error: { toString: 'not now' } }));
    await socket.emitWithAck('listen', { stream: 'orders' });

    const { error } = await eventually(async () => {
      const place = await stage.placeOf('orders');
      return place?.failures === 1 ? place : undefined;
    });

    expect(error).toMatchObject({ message: 'The consumer refused batch 1: the reason is no text' });
    socket.disconnect();
  });

  it('given a batch, when its acknowledgement is called, then it is accepted, and refused when called with an error', async () => {
    await stage.createStream('orders', 2);
    const socket = streamsSocket(hub.url, stage.key);
    const numbers: number[] = [];
    socket.on('batch', ({ batch }: { batch: number }, done: (answer?: unknown) => void) => {
      numbers.push(batch);
      if (numbers.length === 1) done({ error: 'not now' });
      else done();
    });
    const answer: unknown = await socket.emitWithAck('listen', { stream: 'orders' });

    await eventually(async () => (await stage.placeOf('orders'))?.events === 2);
    expect(answer).toEqual({ ok: true });
    expect(numbers).toEqual([1, 1]);
    expect(await socket.emitWithAck('ack', { stream: 'orders', batch: 9 })).toMatchObject({
      error: { code: 'request.conflict' },
    });
    socket.disconnect();
  });
});
