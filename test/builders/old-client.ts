import { WebSocket } from 'ws';
import { eventually } from './eventually.js';

export interface OldAnswer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers of many routes, each compared with what it must be
  readonly body: any;
}

/** A client as it was written for the older gateway: with Basic, and the key as the password. */
export class OldClient {
  constructor(
    private readonly hubUrl: string,
    private readonly key: string,
  ) {}

  /** A body that is text is sent as YAML. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<OldAnswer> {
    const isForm = body instanceof FormData;
    const isText = typeof body === 'string';
    const response = await fetch(`${this.hubUrl}/compat/ethconnect${path}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: basic(this.key),
        ...(body !== undefined && !isForm && { 'content-type': isText ? 'application/x-yaml' : 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isForm || isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  }

  /** The WebSocket, and what it is told. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- messages of several shapes, each compared with what it must be
  async listen(key = this.key): Promise<[WebSocket, any[]]> {
    const socket = new WebSocket(`${this.hubUrl.replace('http', 'ws')}/compat/ethconnect/ws`, {
      headers: { authorization: basic(key) },
    });
    const heard: unknown[] = [];
    socket.on('message', (data) => heard.push(JSON.parse((data as Buffer).toString())));
    await new Promise((resolve) => socket.once('open', resolve));
    return [socket, heard];
  }

  /** Polls until it is there. */
  replyOf(id: string): Promise<OldAnswer> {
    return eventually(async () => {
      const reply = await this.ask('GET', `/replies/${id}`);
      return reply.status === 200 && reply;
    });
  }
}

export function basic(key: string): string {
  return `Basic ${Buffer.from(`app:${key}`).toString('base64')}`;
}
