import { createHash } from 'node:crypto';
import { PatchbayError, defineAction, signWebhook, z } from '#sdk';
import { webhookEndpoint } from './connection.js';

export const send = defineAction({
  title: 'Send a webhook',
  summary: 'Delivers a CloudEvent, signed as Standard Webhooks says.',
  connection: webhookEndpoint,
  input: z.object({
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ title: 'Address', description: 'The address of the connection if absent' }),
    type: z
      .string()
      .min(1)
      .meta({ title: 'Type', examples: ['treasury.transfer.large'] }),
    source: z
      .string()
      .min(1)
      .optional()
      .meta({ title: 'Source', description: '/flows/ and the name of the flow if absent' }),
    subject: z.string().min(1).optional().meta({ title: 'Subject' }),
    time: z.iso
      .datetime({ offset: true })
      .optional()
      .meta({ title: 'Time', description: 'When it happened; left out if absent, so that every attempt is the same' }),
    data: z.unknown().meta({ title: 'Data' }),
  }),
  output: z.object({ id: z.string(), status: z.number().int() }),
  examples: [
    { type: 'treasury.transfer.large', data: { amount: '25000' } },
    {
      url: 'https://crm.example.com/hooks',
      type: 'treasury.transfer.large',
      subject: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
      data: {},
    },
  ],
  repeatable:
    'Every attempt carries the same id (header `webhook-id`, field `id`) and the same body; only the timestamp and so the signature are new. A receiver that remembers ids sees the event once.',
  async run({ input, client, http, idempotencyKey, signal, flow }) {
    const url = input.url ?? client.url;
    if (url === undefined) {
      throw new PatchbayError('flow.input', {
        detail: 'webhook.send has no address.',
        fix: 'Give url, or set url in the connection.',
      });
    }
    const id = messageId(idempotencyKey);
    const { type, source = `/flows/${flow}`, subject, time, data } = input;
    const body = JSON.stringify({
      specversion: '1.0',
      id,
      source,
      type,
      subject,
      time,
      datacontenttype: 'application/json',
      data,
    });
    const timestamp = Math.floor(Date.now() / 1_000).toString();
    const response = await http.request({
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/cloudevents+json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signWebhook({ id, timestamp, body }, client.keys),
      },
      body,
      accept: (status) => (status >= 200 && status < 300) || status === 410,
      signal,
    });
    if (response.status === 410) {
      throw new PatchbayError('http.rejected', {
        detail: 'The receiver answered 410: it wants no more webhooks at this address.',
        fix: 'Remove the step, or give the connection a new address.',
      });
    }
    return { id, status: response.status };
  },
});

/** A full stop separates the signed parts, so an id must not hold one; such keys and very long ones are hashed. */
function messageId(idempotencyKey: string): string {
  if (/^[\w:/-]{1,255}$/.test(idempotencyKey)) return idempotencyKey;
  return `msg_${createHash('sha256').update(idempotencyKey).digest('hex')}`;
}
