import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { WebSocketDoor } from './websocket-door.js';

const closeFrame = 0x88;
const unmaskedText = Buffer.from([0x81, 0x00]);

describe('a door that closes', () => {
  it('given a client that breaks the protocol instead of saying goodbye, when it closes, then it is closed in order', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const door = new WebSocketDoor(server, {
      path: '/ws',
      aliveMs: 60_000,
      welcome: (socket) => socket.on('error', () => socket.terminate()),
    });
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    const heard: Buffer[] = [];
    client.on('data', (data) => heard.push(data));
    client.write(
      'GET /ws HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
    );
    await eventually(() => heard.length > 0);

    const closed = door.close();
    closed.catch(() => undefined);
    await eventually(() => Buffer.concat(heard).includes(closeFrame));
    client.write(unmaskedText);

    await expect(closed).resolves.toBeUndefined();
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
