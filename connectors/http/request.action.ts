import { PatchbayError, defineAction, duration, z } from '#sdk';
import { headerName, httpEndpoint, type HttpEndpoint } from './connection.js';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const headerValue = text.refine((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value), 'must be one line of Latin-1 text');

export const request = defineAction({
  title: 'Send an HTTP request',
  summary: 'Calls any HTTP API and hands its answer to the next step.',
  connection: httpEndpoint,
  connectionOptional: true,
  input: z.object({
    method: z
      .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'])
      .optional()
      .meta({ title: 'Method', description: 'POST when there is a body, else GET' }),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ title: 'Address', description: 'Only without a connection' }),
    path: z.string().optional().meta({ title: 'Path', description: 'Below the base address of the connection' }),
    headers: z.record(headerName, headerValue).optional().meta({ title: 'Headers' }),
    query: z.record(z.string(), text).optional().meta({ title: 'Query' }),
    body: z.unknown().optional().meta({ title: 'Body', description: 'Text is sent as it is, anything else as JSON' }),
    timeout: duration().optional(),
    onlyPublic: z.boolean().default(false).meta({
      title: 'Only public',
      description:
        'For an address that strangers choose, as in a webhook: it must be public, also where the operator allows more',
    }),
    expect: z
      .array(z.number().int().min(100).max(599))
      .optional()
      .meta({ title: 'Expected statuses', description: 'Any 2xx if absent', examples: [[200, 404]] }),
  }),
  output: z.object({
    status: z.number().int(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
  examples: [
    { url: 'https://api.example.com/prices/eth-usd' },
    { url: 'https://api.example.com/orders', method: 'POST', body: { amount: '25000' }, timeout: '5s' },
  ],
  repeatable:
    'A repeated attempt is the same request with the same `Idempotency-Key` header. Whether that has one effect is up to the other side: it has if the API knows this header, or if the method is PUT or DELETE.',
  async run({ input, client, http, idempotencyKey, signal }) {
    const { expect } = input;
    const response = await http.request({
      method: input.method ?? (input.body === undefined ? 'GET' : 'POST'),
      url: target(input, client),
      headers: headersOf(input.headers, client, idempotencyKey),
      signal,
      onlyPublic: input.onlyPublic,
      ...(input.body !== undefined && { body: input.body }),
      ...(input.timeout !== undefined && { timeoutMs: input.timeout }),
      ...(expect !== undefined && { accept: (status: number) => expect.includes(status) }),
      ...(client !== undefined && { redact: client.secrets }),
    });
    return { status: response.status, headers: response.headers, body: response.body };
  },
});

interface Address {
  readonly url?: string | undefined;
  readonly path?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
}

function target(input: Address, endpoint: HttpEndpoint | undefined): string {
  const url = endpoint === undefined ? standalone(input) : below(endpoint, input);
  if (input.query === undefined) return url;
  const search = new URLSearchParams(input.query).toString();
  if (search === '') return url;
  return `${url}${url.includes('?') ? '&' : '?'}${search}`;
}

function standalone({ url, path }: Address): string {
  if (url !== undefined && path === undefined) return url;
  throw new PatchbayError('flow.input', {
    detail: url === undefined ? 'http.request has no address.' : 'http.request has both url and path.',
    fix: 'Give url, or a connection and path.',
  });
}

/** The credentials of the connection go to its own host and path only, whatever a template makes of `path`. */
function below(endpoint: HttpEndpoint, { url, path = '' }: Address): string {
  if (url !== undefined) {
    throw new PatchbayError('flow.input', {
      detail: 'http.request has both a connection and url.',
      fix: 'Give path instead of url, or leave the connection out.',
    });
  }
  const full = path === '' ? endpoint.baseUrl : `${endpoint.baseUrl}/${path.replace(/^\/+/, '')}`;
  // Only the parser knows every spelling of "one level up".
  if (!`${new URL(full).pathname}/`.startsWith(`${endpoint.basePath}/`)) {
    throw new PatchbayError('flow.input', {
      detail: `The path ${path} leads out of the base address of the connection.`,
      fix: 'Give a path below the base address.',
    });
  }
  return full;
}

function headersOf(
  given: Readonly<Record<string, string>> | undefined,
  endpoint: HttpEndpoint | undefined,
  idempotencyKey: string,
): Record<string, string> {
  const headers: Record<string, string> = { 'idempotency-key': idempotencyKey };
  for (const name in given) headers[name.toLowerCase()] = given[name] as string;
  // The credentials come last: a flow cannot replace them.
  return endpoint === undefined ? headers : Object.assign(headers, endpoint.headers);
}
