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
