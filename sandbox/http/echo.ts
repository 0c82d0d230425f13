import type { StandIn } from '../stand-in.js';

/** Plays any HTTP API: answers with what it was sent. */
export function createEcho(): StandIn {
  return {
    name: 'http',
    reply: ({ method, path, query, headers, body }) => ({ status: 200, body: { method, path, query, headers, body } }),
  };
}
