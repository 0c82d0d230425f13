export type Rpc = <Result = unknown>(method: string, ...params: readonly unknown[]) => Promise<Result>;

/** Calls the development chain. No client library: its accounts are unlocked, so there is nothing to sign. */
export function createRpc(url: string): Rpc {
  return async <Result>(method: string, ...params: readonly unknown[]): Promise<Result> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(10_000),
    });
    const answer = (await response.json()) as {
      readonly result?: Result;
      readonly error?: { readonly message: string };
    };
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    // The caller names what the method returns; a node that lies about it is beyond a sandbox.
    return answer.result as Result;
  };
}
