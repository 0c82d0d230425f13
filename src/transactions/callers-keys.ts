import { randomUUID } from 'node:crypto';
import type { Caller } from '#platform';

/** Whom a transaction comes from; the limits of an API key count by it. */
export function originOf({ id }: Pick<Caller, 'id'>): string {
  return `key:${id}`;
}

/** The idempotency key of what a caller sends: those of one are not those of another. Without one it is like no other. */
export function callersKey({ id }: Pick<Caller, 'id'>, given: string | undefined): string {
  return given === undefined ? randomUUID() : `key:${id}:${given}`;
}

/** As its caller gave it; undefined where no caller did. */
export function givenKey(idempotencyKey: string): string | undefined {
  return /^key:[0-9a-f-]{36}:(.+)$/s.exec(idempotencyKey)?.[1];
}

/** For whoever looks at it: as its caller gave it, null where the caller gave none, and of flows their own. */
export function shownKey(idempotencyKey: string, origin: string | null | undefined): string | null {
  const isMadeUp = origin?.startsWith('key:') === true && uuid.test(idempotencyKey);
  return givenKey(idempotencyKey) ?? (isMadeUp ? null : idempotencyKey);
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
