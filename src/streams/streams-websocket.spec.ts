import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { eventually } from '../../test/builders/eventually.js';
import type { HeardMessage } from './testing/consumer-clients.js';
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

describe('the key of a consumer', () => {
  async function openSocket(headers: Record<string, string> = {}, { url } = hub) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/streams/ws`, { headers });
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    const heard: HeardMessage[] = [];
    socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as HeardMessage));
    await once(socket, 'open');
    return { socket, heard, reason: async () => String((await closed)[1]) };
  }

  it('given a browser, when the key comes as the first message, then it may listen', async () => {
    await stage.createStream('orders', 1);
    const { socket, heard } = await openSocket({ origin: 'https://elsewhere.example' });
    socket.send(JSON.stringify({ type: 'auth', key: stage.key }));
    socket.send(JSON.stringify({ type: 'listen', stream: 'orders' }));

    await eventually(() => heard.some(({ type }) => type === 'batch'));
    socket.terminate();
  });

  it('given an unknown key, one without the scope, or none, when a socket opens, then it is closed with the reason', async () => {
    const { key: reader } = await stage.keys.create({ name: 'reader', scopes: ['streams:read'] });

    expect(await (await openSocket({ authorization: 'Bearer pbk_none' })).reason()).toBe('auth.invalid');
    expect(await (await openSocket({ authorization: `Bearer ${reader}` })).reason()).toBe('auth.forbidden');
    const impatient = await stage.startHub({ authMs: 300 });
    expect(await (await openSocket({}, impatient)).reason()).toBe('auth.missing');
    const early = await openSocket();
    early.socket.send(JSON.stringify({ type: 'listen', stream: 'orders' }));
    expect(await early.reason()).toBe('auth.missing');
  });

  it('given a client that answers no ping, when it is looked at again, then its connection is cut', async () => {
    const { url } = await stage.startHub({ aliveMs: 200 });
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/streams/ws`, {
      headers: { authorization: `Bearer ${stage.key}` },
      autoPong: false,
    });

    const [code] = (await once(socket, 'close')) as [number];

    expect(code).toBe(1006);
  });

  it('given messages that are not commands, when they come, then each is answered or ends the connection', async () => {
    const { socket, heard, reason } = await openSocket({ authorization: `Bearer ${stage.key}` });
    socket.send('{');
    socket.send(Buffer.from([1, 2]));
    socket.send('[]');
    await eventually(() => heard.length === 3);
    expect(heard.map(({ type, code }) => [type, code])).toEqual(Array(3).fill(['error', 'request.invalid']));

    socket.send('x'.repeat(70_000));
    await reason();
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });
});

describe('other sockets of the hub', () => {
  it('given the path of streams, when socket.io is used beside it, then both work and other paths are not taken', async () => {
    const socket = io(`${hub.url}/streams`, {
      auth: { key: stage.key },
      transports: ['polling', 'websocket'],
      forceNew: true,
    });
    await new Promise<void>((resolve) => socket.on('connect', resolve));
    const stranger = new WebSocket(`${hub.url.replace('http', 'ws')}/api/other`);
    await new Promise((resolve) => stranger.on('error', resolve));

    expect(stranger.readyState).not.toBe(WebSocket.OPEN);
    expect(socket.connected).toBe(true);
    socket.disconnect();
  });
});
