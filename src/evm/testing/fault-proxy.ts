import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/**
 * What a fault does to one call: an answer of its own, or the node's answer, perhaps altered. A call of a batch that gets
 * nothing (undefined) is left out of the answers.
 */
export type Fault = (call: RpcCall, forward: () => Promise<unknown>, response: ServerResponse) => Promise<unknown>;

/** What a fault does to a batch before its calls are looked at: an answer to all of it; undefined: they are. */
export type BatchFault = (calls: readonly RpcCall[], response: ServerResponse) => unknown;

/** Stands between Patchbay and a node, and misbehaves as told. */
export class FaultProxy {
  /** Applied to every call, also to each of a batch; undefined: the node's own answer. */
  fault: Fault | undefined;
  batchFault: BatchFault | undefined;
  readonly calls: RpcCall[] = [];
  /** Calls in each request, in the order of the requests. */
  readonly requestSizes: number[] = [];
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
      // Who asks hears of a node that has gone, or that itself has gone, by a broken connection.
      proxy.#answer(request, response).catch(() => response.destroy());
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
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as RpcCall | RpcCall[];
    this.requestSizes.push(Array.isArray(body) ? body.length : 1);
    this.calls.push(...(Array.isArray(body) ? body : [body]));
    const answer = Array.isArray(body)
      ? await this.#answerBatch(body, response)
      : await this.#answerCall(body, response);
    // A fault that answered by itself, or broke the connection, leaves nothing to say.
    if (response.writableEnded || response.destroyed) return;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  }

  async #answerCall(call: RpcCall, response: ServerResponse): Promise<unknown> {
    const forward = (): Promise<unknown> => this.#forward(call);
    return this.fault ? await this.fault(call, forward, response) : await forward();
  }

  /** One after the other, as nodes do it: transactions of one signer come in the order of their nonces. */
  async #answerBatch(calls: readonly RpcCall[], response: ServerResponse): Promise<unknown> {
    const refusal = this.batchFault?.(calls, response);
    if (refusal !== undefined) return refusal;
    if (response.writableEnded || response.destroyed) return undefined;
    if (!this.fault) return await this.#forward(calls);
    const answers: unknown[] = [];
    for (const call of calls) {
      const answer = await this.#answerCall(call, response);
      if (response.writableEnded || response.destroyed) return undefined;
      if (answer !== undefined) answers.push(answer);
    }
    return answers;
  }

  async #forward(body: unknown): Promise<unknown> {
    const answer = await fetch(this.#target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return await answer.json();
  }
}

export function rpcError(call: RpcCall, code: number, message: string): unknown {
  return { jsonrpc: '2.0', id: call.id, error: { code, message } };
}

export function rpcResult(call: RpcCall, result: unknown): unknown {
  return { jsonrpc: '2.0', id: call.id, result };
}
