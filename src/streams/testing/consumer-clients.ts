import { once } from 'node:events';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { StreamEvent } from '../stream.js';

export interface HeardMessage {
  readonly type: string;
  readonly stream?: string;
  readonly batch?: number;
  readonly id?: string;
  readonly code?: string;
  readonly message?: string;
  readonly events?: readonly StreamEvent[];
}

/** A consumer as it talks to the hub, whatever carries its words. */
export interface ConsumerClient {
  readonly heard: HeardMessage[];
  say(type: string, body: Record<string, unknown>): void;
  isOpen(): boolean;
  close(): void;
}

type Connect = (url: string, key: string) => Promise<ConsumerClient>;

export const overWebSocket: Connect = async (url, key) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/streams/ws`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const heard: HeardMessage[] = [];
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as HeardMessage));
  await once(socket, 'open');
  return {
    heard,
    say: (type, body) => socket.send(JSON.stringify({ type, ...body })),
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () => socket.terminate(),
  };
};

/** One that does not come again by itself. */
export function streamsSocket(url: string, key: string): Socket {
  return io(`${url}/streams`, { auth: { key }, transports: ['websocket'], forceNew: true, reconnection: false });
}

export const overSocketIo: Connect = async (url, key) => {
  const socket = streamsSocket(url, key);
  const heard: HeardMessage[] = [];
  socket.onAny((type: string, body: object) => heard.push({ ...body, type }));
  await new Promise<void>((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject));
  return {
    heard,
    say: (type, body) => socket.emit(type, body),
    isOpen: () => socket.connected,
    close: () => socket.disconnect(),
  };
};
