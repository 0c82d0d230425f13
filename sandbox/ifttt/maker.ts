import type { Reply, StandIn } from '../stand-in.js';

/** Plays the Webhooks service of IFTTT ("Maker"), with its texts. Like the real one it accepts any event name. */
export function createMaker(key: string): StandIn {
  return {
    name: 'ifttt',
    reply({ method, path }): Reply {
      const [, event, json, given] = /^\/trigger\/([^/]+)(\/json)?\/with\/key\/([^/]+)$/.exec(path) ?? [];
      if (event === undefined || given === undefined || !['GET', 'POST'].includes(method)) {
        return { status: 404, body: `Cannot ${method} ${path}` };
      }
      if (decodeURIComponent(given) !== key)
        return { status: 401, body: { errors: [{ message: 'You sent an invalid key.' }] } };
      const kind = json === undefined ? 'event' : 'JSON event';
      return { status: 200, body: `Congratulations! You've fired the ${decodeURIComponent(event)} ${kind}` };
    },
  };
}
