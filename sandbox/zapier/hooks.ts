import { randomUUID } from 'node:crypto';
import type { Reply, StandIn } from '../stand-in.js';

/**
 * Plays the hooks of Zapier. A Catch Hook (`/hooks/catch/<user>/<zap>/`) always accepts, whether or not a Zap listens.
 * A REST hook (`/hooks/standard/<user>/<hook>/`) answers 410 once it was turned off, by DELETE.
 */
export function createZapierHooks(): StandIn {
  const turnedOff = new Set<string>();
  return {
    name: 'zapier',
    reply({ method, path }): Reply {
      const [, kind, user, hook] = /^\/hooks\/(catch|standard)\/([^/]+)\/([^/]+)\/?$/.exec(path) ?? [];
      if (kind === undefined || user === undefined || hook === undefined) return { status: 404, body: 'Not Found' };
      const name = `${user}/${hook}`;
      if (kind === 'standard' && method === 'DELETE') {
        turnedOff.add(name);
        return { status: 204 };
      }
      if (kind === 'standard' && turnedOff.has(name)) return { status: 410, body: { status: 'error' } };
      if (!['POST', 'PUT', 'GET'].includes(method)) return { status: 405, body: 'Method Not Allowed' };
      return {
        status: 200,
        body: { status: 'success', attempt: randomUUID(), id: randomUUID(), request_id: randomUUID() },
      };
    },
  };
}
