import { createHash, randomUUID } from 'node:crypto';
import { PatchbayError, defineAction, duration, oracleTurns, z, type HttpResponse } from '#sdk';
import { oracle } from './connection.js';
import { sortedJson, workflowToken } from './workflow-token.js';

const accepted = z.looseObject({ result: z.looseObject({ workflow_execution_id: z.string().optional() }) });
const refused = z.looseObject({
  error: z.looseObject({ code: z.number().optional(), message: z.string().optional() }),
});

/** What the network lets a workflow do. */
const usualPaceMs = 60_000;
const mostInputBytes = 10_000;

export const startWorkflow = defineAction({
  title: 'Start a workflow of CRE',
  summary:
    'Starts a workflow with an HTTP trigger on the Chainlink Runtime Environment, signed by the key of the connection.',
  connection: oracle,
  input: z.object({
    workflow: z
      .string()
      .regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be the id of a workflow: 64 hexadecimal digits')
      .meta({ title: 'Workflow', examples: ['a1b2c3d4e5f67890a1b2c3d4e5f67890a1b2c3d4e5f67890a1b2c3d4e5f67890'] }),
    input: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ title: 'Input', description: 'What the workflow gets.' }),
    every: duration().pipe(z.number().max(86_400_000)).default(usualPaceMs).meta({
      title: 'Pace',
      description:
        'The hub starts a workflow at most once in this time; more starts wait in line. Default: 1m, the quota',
    }),
  }),
  output: z.object({
    request: z.string().meta({ description: 'Id of the request, the same on each attempt' }),
    execution: z.string().optional(),
    answer: z.unknown(),
  }),
  examples: [
    {
      workflow: 'a1b2c3d4e5f67890a1b2c3d4e5f67890a1b2c3d4e5f67890a1b2c3d4e5f67890',
      input: { asset: 'ETH', amount: '25000' },
    },
  ],
  repeatable:
    'Every attempt sends the same body with the same request id, in a token of its own. Whether a gateway that answered nobody starts the workflow again is up to it; put an id of your own into the input where that matters.',
  async run({ input, client, http, use, idempotencyKey, signal }) {
    const gateway = client.part('gateway', 'Workflows are started through a gateway');
    const workflowID = input.workflow.replace(/^0x/i, '').toLowerCase();
    const size = Buffer.byteLength(JSON.stringify(input.input));
    if (size > mostInputBytes) {
      throw new PatchbayError('flow.input', {
        detail: `The input of the workflow has ${size} bytes; ${mostInputBytes} are taken.`,
        fix: 'Send an address or an id in place of the content.',
      });
    }
    const waitMs = await use(oracleTurns).take({
      line: `workflow ${workflowID}`,
      key: idempotencyKey,
      everyMs: input.every,
    });
    if (waitMs > 0) {
      throw new PatchbayError('http.throttled', {
        detail: `The workflow was started lately; it is this run's turn in ${Math.ceil(waitMs / 1_000)} s.`,
        retryAfterMs: waitMs,
      });
    }
    const id = requestId(idempotencyKey);
    const body = sortedJson({
      jsonrpc: '2.0',
      id,
      method: 'workflows.execute',
      params: { input: input.input, workflow: { workflowID } },
    });
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const token = await workflowToken({ body, key: gateway.key, nowSeconds, id: randomUUID() });
    const response = await http.request({
      method: 'POST',
      url: gateway.url,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
      redact: [token],
      signal,
    });
    return { request: id, ...resultOf(response) };
  },
});

function resultOf(response: HttpResponse): { execution?: string; answer: unknown } {
  const error = refused.safeParse(response.body);
  if (error.success) {
    const { code, message = '' } = error.data.error;
    throw new PatchbayError(isPassing(code) ? 'http.failed' : 'http.rejected', {
      detail: `The gateway refused the workflow: ${message.slice(0, 300)} (${code ?? 'no code'})`,
      fix: 'Check the id of the workflow, and that its authorizedKeys have the address of the key.',
    });
  }
  const answer = accepted.safeParse(response.body);
  if (!answer.success) throw new PatchbayError('http.unreadable', { detail: 'The gateway answered no JSON-RPC.' });
  const { workflow_execution_id: execution } = answer.data.result;
  return { ...(execution !== undefined && { execution }), answer: answer.data.result };
}

/** Of JSON-RPC: an internal error, and those that servers define. */
function isPassing(code: number | undefined): boolean {
  return code === -32_603 || (code !== undefined && code <= -32_000 && code >= -32_099);
}

/** A UUID that the same step always has. */
function requestId(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
