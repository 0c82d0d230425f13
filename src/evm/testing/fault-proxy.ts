import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a fault does to one call: an answer of its own, or the node's answer, perhaps altered. */
export type Fault = (call: RpcCall, forward: () => Promise<unknown>, response: ServerResponse) => Promise<unknown>;

/** Stands between Patchbay and a node, and misbehaves as told. */
export class FaultProxy {
  /** Applied to every call; undefined: the node's own answer. */
  fault: Fault | undefined;
  readonly calls: RpcCall[] = [];
  readonly #server: Server;
  readonly #target: string;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
  }

  static async start(target: string): Promise<FaultProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultProxy(server, target);
    server.on('request', (request, response) => {
      void proxy.#answer(request, response);
    });
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${String(typeof address === 'object' && address ? address.port : 0)}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const call = JSON.parse(body) as RpcCall;
    this.calls.push(call);
    const forward = async (): Promise<unknown> => {
      const answer = await fetch(this.#target, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return await answer.json();
    };
    const answer = this.fault ? await this.fault(call, forward, response) : await forward();
    // A fault that answered by itself, or broke the connection, leaves nothing to say.
    if (response.writableEnded || response.destroyed) return;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  }
}

export function rpcError(call: RpcCall, code: number, message: string): unknown {
  return { jsonrpc: '2.0', id: call.id, error: { code, message } };
}

export function rpcResult(call: RpcCall, result: unknown): unknown {
  return { jsonrpc: '2.0', id: call.id, result };
}
