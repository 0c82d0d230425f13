import { randomUUID } from 'node:crypto';
import { PatchbayError, defineTrigger, isWebhookSignedBy, z, type HookRequest } from '#sdk';
import { webhookEndpoint, type WebhookEndpoint } from './connection.js';

/** What a flow may see of the headers; the others may hold credentials or reveal the way through proxies. */
const harmlessHeaders = [
  'content-type',
  'user-agent',
  'idempotency-key',
  'webhook-id',
  'webhook-timestamp',
  'x-request-id',
  'traceparent',
] as const;

/** The id becomes an indexed key of the event. */
const longestId = 255;

export const received = defineTrigger({
  title: 'Webhook received',
  summary: 'Starts a run for every webhook that is sent to the address of the flow.',
  connection: webhookEndpoint,
  connectionOptional: true,
  input: z.object({
    type: z
      .string()
      .optional()
      .meta({ title: 'Type', description: 'Take only bodies whose field `type` is this', examples: ['order.paid'] }),
  }),
  event: z.object({
    body: z.unknown(),
    headers: z.record(z.string(), z.string()),
    query: z.record(z.string(), z.string()),
  }),
  examples: [{}, { type: 'order.paid' }],
  async receive({ input, client, request }) {
    authenticate(request, client, Date.now());
    const id = idOf(request);
    if (input.type !== undefined && typeOf(request.body) !== input.type) return [];
    return [{ id, event: { body: request.body, headers: visibleHeaders(request), query: { ...request.query } } }];
  },
});

function authenticate(request: HookRequest, endpoint: WebhookEndpoint | undefined, nowMs: number): void {
  if (endpoint !== undefined) return verifySignature(request, endpoint, nowMs);
  if (request.isAuthenticated) return;
  throw new PatchbayError('auth.missing', {
    detail: 'This webhook needs an API key, because its flow names no connection with a signing secret.',
    fix: 'Send Authorization: Bearer <key>, or give the trigger a connection of the webhook connector and sign.',
  });
}

function verifySignature(request: HookRequest, endpoint: WebhookEndpoint, nowMs: number): void {
  const id = request.headers['webhook-id'] ?? '';
  const timestamp = request.headers['webhook-timestamp'] ?? '';
  const signature = request.headers['webhook-signature'] ?? '';
  if (id === '' || signature === '' || !/^\d{1,12}$/.test(timestamp)) {
    throw refused('One of the headers webhook-id, webhook-timestamp and webhook-signature is missing or malformed.');
  }
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > endpoint.toleranceMs) {
    throw refused(
      `The timestamp ${timestamp} differs by more than ${endpoint.toleranceMs / 1_000} s from the hub's clock.`,
    );
  }
  if (!isWebhookSignedBy({ id, timestamp, body: request.rawBody }, signature, endpoint.keys)) {
    throw refused('The signature does not fit the body and the signing secret of the connection.');
  }
}

function refused(detail: string): PatchbayError {
  return new PatchbayError('hook.signature', {
    detail,
    fix: 'Sign id, timestamp and the raw body as Standard Webhooks says, with the secret of the connection.',
  });
}

function idOf(request: HookRequest): string {
  const id = request.headers['webhook-id'] ?? request.headers['idempotency-key'] ?? randomUUID();
  if (id.length <= longestId) return id;
  throw new PatchbayError('request.invalid', {
    detail: `The id of the webhook has ${id.length} characters; ${longestId} are allowed.`,
    fix: 'Send a shorter webhook-id or Idempotency-Key.',
  });
}

function typeOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
}

function visibleHeaders({ headers }: HookRequest): Record<string, string> {
  const visible: Record<string, string> = {};
  for (const name of harmlessHeaders) {
    const value = headers[name];
    if (value !== undefined) visible[name] = value;
  }
  return visible;
}
