import {
  PatchbayError,
  defineAction,
  duration,
  oracleKept,
  oracleResumptions,
  z,
  type ActionContext,
  type Resumption,
} from '#sdk';
import { readLaterAnswer, readReply, type AdapterReply, type ReadReplyOptions } from './adapter-reply.js';
import { oracle } from './connection.js';
import type { OracleClient } from './oracle.client.js';

const input = z.object({
  adapter: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'Adapter', description: 'Name under `adapters` of the connection.', examples: ['prices'] }),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ title: 'Address', description: 'Of an adapter that takes no secret header; only without `adapter`.' }),
  onlyPublic: z.boolean().default(false).meta({
    title: 'Only public',
    description:
      'For a `url` that strangers choose, as in a request: it must be public, also where the operator allows more. Adapters of the connection are not asked for it.',
  }),
  data: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ title: 'Data', examples: [{ base: 'ETH', quote: 'USD' }] }),
  endpoint: z.string().min(1).optional().meta({ title: 'Endpoint', description: 'Of adapters that have several.' }),
  id: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'Id', description: 'Told as `id`. Default: the same on each attempt of the step, and no other.' }),
  meta: z.record(z.string(), z.unknown()).optional().meta({ title: 'Meta', description: 'Told beside the data.' }),
  path: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ title: 'Path', description: 'Where the result is. Default: data, result or else result.' }),
  timeout: duration().default(15_000).meta({ title: 'Timeout', description: 'Of one request. Default: 15s' }),
  await: duration()
    .pipe(
      z
        .number()
        .min(1_000)
        .max(7 * 86_400_000),
    )
    .optional()
    .meta({
      title: 'Await',
      description: 'How long an answer may take that comes later. Absent: the adapter must answer at once.',
      examples: ['5m'],
    }),
});

type Context = ActionContext<z.output<typeof input>, OracleClient | undefined>;

/** More than that, nodes do not read. */
const nodesReadBytes = 32_768;
const mostBytes = 262_144;
const askAgainMs = 2_000;

export const callAdapter = defineAction({
  title: 'Call an external adapter',
  summary: 'Asks an external adapter, as a Chainlink node would, and gives its result to the next step.',
  connection: oracle,
  connectionOptional: true,
  input,
  output: z.object({
    result: z.unknown().meta({ description: 'A number of more than 15 digits is text' }),
    data: z.record(z.string(), z.unknown()),
  }),
  examples: [
    { adapter: 'prices', data: { base: 'ETH', quote: 'USD' } },
    { url: 'https://adapter.example.com', data: { city: 'Oslo' }, endpoint: 'weather', await: '5m' },
  ],
  repeatable:
    'Adapters know no idempotency key, but every attempt carries the same `id`. While an answer is awaited that comes later, nothing is asked again.',
  async run(context) {
    const target = targetOf(context);
    const { result, data } = await (context.input.await === undefined
      ? atOnce(context, target)
      : later(context, target));
    return { result, data };
  },
});

interface Target extends ReadReplyOptions {
  readonly url: string;
  readonly onlyPublic: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

type Answered = AdapterReply & { readonly kind: 'answered' };

async function atOnce(context: Context, target: Target): Promise<Answered> {
  const reply = await ask(context, target, undefined);
  if (reply.kind === 'answered') return reply;
  throw new PatchbayError('http.rejected', {
    detail: `The adapter ${target.adapter} will answer later, and nobody waits for that.`,
    fix: 'Give await, e.g. 5m, so that it is told where to.',
  });
}

/** The wait is a row in the store: the step comes back now and then, in whichever process. */
async function later(context: Context, target: Target): Promise<Answered> {
  const { idempotencyKey, use, input: wish } = context;
  const resumption = await use(oracleResumptions).open(idempotencyKey, wish.await ?? 0);
  if (resumption.state === 'answered') return answerOf(resumption, target);
  if (resumption.state === 'expired') {
    throw new PatchbayError('flow.timeout', {
      detail: `The adapter ${target.adapter} has sent no answer in time.`,
      fix: 'Look at the adapter, or raise await.',
    });
  }
  const asked = `${idempotencyKey}:asked`;
  if ((await use(oracleKept).find(asked)) === undefined) {
    const reply = await ask(context, target, resumption.url);
    if (reply.kind === 'answered') return reply;
    await use(oracleKept).keep(asked, 'yes');
  }
  throw new PatchbayError('oracle.pending', {
    detail: `The adapter ${target.adapter} answers later.`,
    retryAfterMs: askAgainMs,
  });
}

function answerOf({ answer }: Resumption, target: Target): Answered {
  if (answer !== undefined && 'value' in answer) return readLaterAnswer(answer.value, target);
  // Asked again it would be given the same answer: an address takes one.
  throw new PatchbayError('http.rejected', {
    detail: `The adapter ${target.adapter} failed: ${answer?.error.slice(0, 300) ?? ''}`,
  });
}

async function ask(context: Context, target: Target, responseUrl: string | undefined): Promise<AdapterReply> {
  const { input: wish, http, idempotencyKey, signal, log } = context;
  const { id = idempotencyKey, data, endpoint, meta } = wish;
  const response = await http.request({
    method: 'POST',
    url: target.url,
    onlyPublic: target.onlyPublic,
    headers: { ...target.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ id, data, endpoint, meta, responseURL: responseUrl }),
    timeoutMs: wish.timeout,
    maxBytes: mostBytes,
    accept: () => true,
    redact: Object.values(target.headers),
    signal,
  });
  const bytes = Buffer.byteLength(response.text);
  if (bytes > nodesReadBytes) log.warn('An adapter answers more than nodes read', { adapter: target.adapter, bytes });
  return readReply(response, target);
}

function targetOf({ input: { adapter, url, onlyPublic, path }, client }: Context): Target {
  if ((adapter === undefined) === (url === undefined)) {
    throw new PatchbayError('flow.input', {
      detail: `oracle.callAdapter has ${adapter === undefined ? 'neither adapter nor' : 'both adapter and'} url.`,
      fix: 'Give adapter, a name of the connection, or url.',
    });
  }
  if (url !== undefined) return { adapter: new URL(url).host, url, onlyPublic, headers: {}, path };
  const name = adapter ?? '';
  if (client === undefined) {
    throw new PatchbayError('connection.notFound', {
      detail: `The adapter ${name} is named, and the step has no connection to find it in.`,
      fix: 'Give the step a connection of the connector oracle.',
    });
  }
  const { adapters } = client.settings;
  const known = Object.entries(adapters).find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1];
  if (known === undefined) {
    throw new PatchbayError('connection.invalid', {
      detail: `The connection ${client.name} has no adapter ${name}.`,
      fix: `Add adapters: { ${name}: { url: … } } to it; it has ${Object.keys(adapters).join(', ') || 'none'}.`,
    });
  }
  const headers = Object.entries(known.headers).map(([header, value]) => [header.toLowerCase(), value.reveal()]);
  return {
    adapter: name,
    url: known.url,
    onlyPublic: false,
    headers: Object.fromEntries(headers) as Record<string, string>,
    path,
  };
}
