import { createHash } from 'node:crypto';

/** The event heard under this key by this source: the same thing heard again has the same id, on any machine. */
export function eventId(source: string, key: string): string {
  return uuidOf(`event\0${source}\0${key}`);
}

/** The run of this flow for this idempotency key: one event cannot start two, whoever stores it first. */
export function runId(flow: string, idempotencyKey: string): string {
  return uuidOf(`run\0${flow}\0${idempotencyKey}`);
}

/** A UUID of version 8 (RFC 9562, section 5.8): 122 bits of SHA-256. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
