import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '#platform';
import { PatchbayError } from '#sdk';
import { callersKey } from '#transactions';

const longestKey = 200;
const longestWaitSeconds = 120;

/** Without the header each request is one of its own. */
export function idempotencyKeyOf(request: FastifyRequest, caller: Caller): string {
  const given = request.headers['idempotency-key'];
  if (given === undefined || (typeof given === 'string' && given !== '' && given.length <= longestKey)) {
    return callersKey(caller, given);
  }
  throw new PatchbayError('request.invalid', {
    detail: `The header Idempotency-Key must have 1 to ${longestKey} characters`,
    fix: 'Send a shorter one, e.g. a UUID.',
  });
}

/** `Prefer: wait=10`, as RFC 7240 has it; undefined when it does not say. */
export function waitMsOf(request: FastifyRequest): number | undefined {
  const seconds = /(?:^|[,;\s])wait=(\d{1,6})/i.exec(String(request.headers['prefer'] ?? ''))?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds), longestWaitSeconds) * 1_000;
}

/** Whoever has gone away needs no answer any more. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort();
  });
  return gone.signal;
}
