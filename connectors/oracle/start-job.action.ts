import { PatchbayError, defineAction, duration, z, type HttpResponse } from '#sdk';
import { oracle } from './connection.js';

const run = z.looseObject({
  data: z.looseObject({
    id: z.union([z.string(), z.number()]).transform(String),
    attributes: z.looseObject({
      outputs: z.array(z.unknown()).nullish(),
      errors: z.array(z.unknown()).nullish(),
      fatalErrors: z.array(z.unknown()).nullish(),
      finishedAt: z.string().nullish(),
    }),
  }),
});

const unknown = { outcome: 'unknown' as const, outputs: [], errors: [] };

export const startJob = defineAction({
  title: 'Start a job of a Chainlink node',
  summary: 'Runs a webhook job of a node up to 2.49 that knows this hub as an external initiator.',
  connection: oracle,
  input: z.object({
    job: z.uuid().meta({
      title: 'Job',
      description: 'External job id.',
      examples: ['0eec7e1d-d0d2-476c-a1a8-72dfb6633f46'],
    }),
    body: z.record(z.string(), z.unknown()).default({}).meta({
      title: 'Body',
      description:
        'The job reads it from $(jobRun.requestBody), which is text. An `id` is added, the same on each attempt.',
    }),
    idempotent: z.boolean().default(false).meta({
      title: 'Idempotent',
      description:
        'The job, or what it calls, does the same `id` once: a start whose outcome is not known is tried again.',
    }),
    timeout: duration().default(60_000).meta({
      title: 'Timeout',
      description: 'The node answers when the job has ended. Default: 1m',
    }),
  }),
  output: z.object({
    outcome: z.enum(['completed', 'errored', 'suspended', 'unknown']).meta({
      description: 'Unknown: the node did not answer; the job may have run, may be running, or not',
    }),
    run: z.string().optional().meta({ description: 'Id of the run at the node' }),
    outputs: z.array(z.unknown()),
    errors: z.array(z.string()),
  }),
  examples: [{ job: '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46', body: { amount: '25000' } }],
  repeatable:
    'Nodes know no idempotency key, so a start without an answer is not repeated: its outcome is `unknown`. With `idempotent` it is tried again, with the same `id` in its body. A start that the node refused is tried again where that may help.',
  async run({ input, client, http, idempotencyKey, signal }) {
    const node = client.part('node', 'A job is started at a node');
    const url = `${node.url.replace(/\/+$/, '')}/v2/jobs/${input.job}/runs`;
    let response: HttpResponse;
    try {
      response = await http.request({
        method: 'POST',
        url,
        headers: {
          'content-type': 'application/json',
          'x-chainlink-ea-accesskey': node.accessKey.reveal(),
          'x-chainlink-ea-secret': node.secret.reveal(),
        },
        body: JSON.stringify({ id: idempotencyKey, ...input.body }),
        timeoutMs: input.timeout,
        maxBytes: 262_144,
        redact: [node.accessKey.reveal(), node.secret.reveal()],
        accept: (status) => status < 600,
        signal,
      });
    } catch (error) {
      if (input.idempotent || wasNotSent(error)) throw error;
      return unknown;
    }
    if (response.status === 200) return outcomeOf(response, input.idempotent);
    // What failed inside the node may have begun before.
    if (response.status >= 500 && !input.idempotent) return { ...unknown, errors: [told(response)] };
    throw refusal(response, input.job);
  },
});

/** Whether it is certain that the node has heard nothing. */
function wasNotSent(error: unknown): boolean {
  if (!(error instanceof PatchbayError)) return false;
  if (error.code === 'target.forbidden') return true;
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
}

function outcomeOf(response: HttpResponse, isIdempotent: boolean) {
  const answer = run.safeParse(response.body);
  if (!answer.success) {
    if (!isIdempotent) return { ...unknown, errors: ['The answer of the node cannot be read.'] };
    throw new PatchbayError('http.unreadable', { detail: 'The answer of the node is no run of a job.' });
  }
  const { id, attributes } = answer.data.data;
  const errors = [...(attributes.errors ?? []), ...(attributes.fatalErrors ?? [])]
    .filter((error) => error !== null && error !== '')
    .map(String);
  const isOver = attributes.finishedAt != null;
  const outcome = !isOver ? ('suspended' as const) : errors.length > 0 ? ('errored' as const) : ('completed' as const);
  return { outcome, run: id, outputs: (attributes.outputs ?? []).map(parsed), errors: [...new Set(errors)] };
}

/** Each output is JSON in text. */
function parsed(output: unknown): unknown {
  if (typeof output !== 'string') return output;
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === 'number' && String(value) !== output ? output : value;
  } catch {
    return output;
  }
}

function refusal(response: HttpResponse, job: string): PatchbayError {
  const detail = `The node did not start the job ${job}: ${told(response)}`;
  switch (response.status) {
    case 401:
    case 403:
      return new PatchbayError('connection.unauthorised', {
        detail,
        fix: 'Check accessKey and secret of node: in the connection, and that the job names this initiator.',
      });
    case 404:
      return new PatchbayError('http.rejected', {
        detail,
        fix: 'Give the external job id of a webhook job of this node.',
      });
    default:
      return new PatchbayError(response.status >= 500 ? 'http.failed' : 'http.rejected', { detail });
  }
}

function told({ status, body }: HttpResponse): string {
  const errors = z.object({ errors: z.array(z.object({ detail: z.string() })) }).safeParse(body);
  const why = errors.success ? errors.data.errors.map(({ detail }) => detail.slice(0, 300)).join('; ') : '';
  return `it answered ${status}${why === '' ? '' : `: ${why}`}`;
}
