import { createHmac, timingSafeEqual } from 'node:crypto';

/** Standard Webhooks, symmetric scheme `v1`: HMAC-SHA256 over id, timestamp and the raw bytes of the body. */
export interface WebhookMessage {
  readonly id: string;
  /** Whole seconds since 1970, as text. */
  readonly timestamp: string;
  readonly body: string | Buffer;
}

/** The key of a secret `whsec_…`; undefined when it is not one of 24 to 64 bytes. */
export function parseSigningSecret(text: string): Buffer | undefined {
  const [, encoded = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const key = Buffer.from(encoded, 'base64');
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

/** The header `webhook-signature`: one signature per key, so that either side may change its secret first. */
export function signWebhook(message: WebhookMessage, keys: readonly Buffer[]): string {
  return keys.map((key) => `v1,${digest(message, key).toString('base64')}`).join(' ');
}

export function isWebhookSignedBy(message: WebhookMessage, header: string, keys: readonly Buffer[]): boolean {
  const signatures = header
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice(3), 'base64'));
  return keys.some((key) => {
    const expected = digest(message, key);
    return signatures.some((given) => given.length === expected.length && timingSafeEqual(given, expected));
  });
}

function digest({ id, timestamp, body }: WebhookMessage, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
