import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyMessage } from 'ethers';
import { oracleTurns, type ServiceToken } from '#sdk';
import { callAction } from '../../test/builders/action-call.js';
import { ScriptedServer, type ScriptedAnswer } from '../../test/builders/scripted-server.js';
import { devAccounts } from '../../src/evm/testing/dev-chain.js';
import { startWorkflow } from './start-workflow.action.js';

const workflow = 'A1'.repeat(32);
const account = devAccounts[1];
let server: ScriptedServer;

beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.stop());

function start(
  answer: ScriptedAnswer,
  { waitMs = 0, input = { b: 1, a: { d: 2, c: [3] } } }: { readonly waitMs?: number; readonly input?: object } = {},
) {
  server.answer = () => answer;
  return callAction(startWorkflow, {
    with: { workflow: `0x${workflow}`, input },
    settings: { gateway: { url: server.url, key: account.key } },
    idempotencyKey: 'run-7-start',
    use: <T>(token: ServiceToken<T>) => {
      expect(token.name).toBe(oracleTurns.name);
      return { take: () => Promise.resolve(waitMs) } as T;
    },
  });
}

const accepted = { body: { jsonrpc: '2.0', id: '1', result: { workflow_execution_id: '0xe1', status: 'ACCEPTED' } } };

describe('starting a workflow', () => {
  it('given a key, when a workflow is started, then the body is sorted, and the token is about it and by the key', async () => {
    const output = await start(accepted);
    const [request] = server.requests.slice(-1);
    const { jsonrpc, id, method, params } = request?.body as Record<string, unknown>;
    const [head = '', payload = '', signature = ''] = (request?.headers.authorization ?? '')
      .replace('Bearer ', '')
      .split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, number | string>;
    const bytes = Buffer.from(signature, 'base64url');

    expect({ jsonrpc, method, params }).toEqual({
      jsonrpc: '2.0',
      method: 'workflows.execute',
      params: { input: { a: { c: [3], d: 2 }, b: 1 }, workflow: { workflowID: workflow.toLowerCase() } },
    });
    expect(request?.text).toBe(
      `{"id":"${String(id)}","jsonrpc":"2.0","method":"workflows.execute","params":{"input":{"a":{"c":[3],"d":2},"b":1},"workflow":{"workflowID":"${workflow.toLowerCase()}"}}}`,
    );
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({ alg: 'ETH', typ: 'JWT' });
    expect(claims['digest']).toBe(
      `0x${createHash('sha256')
        .update(request?.text ?? '')
        .digest('hex')}`,
    );
    expect(Number(claims['exp']) - Number(claims['iat'])).toBeLessThanOrEqual(300);
    expect(bytes).toHaveLength(65);
    // Wallets write 27 or 28 where gateways want 0 or 1.
    expect(bytes[64]).toBeLessThan(2);
    const asWallets = Buffer.from(bytes);
    asWallets[64] = (bytes[64] ?? 0) + 27;
    const signer = verifyMessage(`${head}.${payload}`, `0x${asWallets.toString('hex')}`);
    expect([signer, signer.toLowerCase()]).toEqual([claims['iss'], account.address.toLowerCase()]);
    expect(output).toMatchObject({ request: id, execution: '0xe1', answer: { status: 'ACCEPTED' } });
  });

  it('given two attempts, then they have the same request id and tokens of their own', async () => {
    await start(accepted);
    await start(accepted);
    const [one, other] = server.requests.slice(-2);

    expect(one?.text).toBe(other?.text);
    expect(one?.headers.authorization).not.toBe(other?.headers.authorization);
  });

  it('given that it is not its turn, then nothing is sent and the step comes back when it is', async () => {
    const before = server.requests.length;

    await expect(start(accepted, { waitMs: 42_000 })).rejects.toMatchObject({
      code: 'http.throttled',
      retry: 'after',
      retryAfterMs: 42_000,
    });
    expect(server.requests).toHaveLength(before);
  });

  it.each<[string, ScriptedAnswer, object | undefined, string]>([
    [
      'a workflow that is not known',
      { body: { error: { code: -32_602, message: 'no such' } } },
      undefined,
      'http.rejected',
    ],
    ['a gateway that is overloaded', { body: { error: { code: -32_000, message: 'busy' } } }, undefined, 'http.failed'],
    ['a token that is refused', { status: 401 }, undefined, 'connection.unauthorised'],
    ['an answer that is none', { body: 'ok' }, undefined, 'http.unreadable'],
    ['too much input', accepted, { text: 'x'.repeat(10_001) }, 'flow.input'],
  ])('given %s, then the step fails', async (_, answer, input, code) => {
    await expect(start(answer, input && { input })).rejects.toMatchObject({ code });
  });
});
