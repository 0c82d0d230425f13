import { Faults } from '../../sandbox/faults.js';
import { ReceivedLog } from '../../sandbox/received.js';
import { createSandboxServer, listen, parseBody, readBody, send } from '../../sandbox/server.js';
import { IftttStandIn } from '../../sandbox/ifttt/ifttt.js';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface IftttOptions {
  readonly serviceKey: string;
}

/** One call of the Realtime API. */
export interface RealtimeCall {
  /** As `nowMs` tells it, when it had come whole. */
  readonly at: number;
  readonly status: number;
  readonly identities: readonly string[];
}

export interface RefusedCalls {
  readonly everyNth: number;
  readonly times: number;
}

const { serviceKey } = optionsOf<IftttOptions>();
const ifttt = new IftttStandIn({ makerKey: 'none', serviceKey });
let calls: RealtimeCall[] = [];
let refused: RefusedCalls = { everyNth: 1, times: 0 };
let seen = 0;

const server = createSandboxServer({
  standIns: [
    {
      name: 'ifttt',
      reply: async (exchange) => {
        const at = nowMs();
        const { data } = exchange.body as { readonly data: readonly { readonly trigger_identity: string }[] };
        seen += 1;
        const isRefused = seen % refused.everyNth === 0 && seen / refused.everyNth <= refused.times;
        const reply = isRefused ? { status: 500 } : await ifttt.reply(exchange);
        calls.push({ at, status: reply.status, identities: data.map((entry) => entry.trigger_identity) });
        return reply;
      },
    },
  ],
  routes: [
    (request, response, path) => {
      if (path !== '/bench') return false;
      void readBody(request).then((body) => {
        if (request.method === 'POST') refused = parseBody(body) as RefusedCalls;
        if (request.method !== 'GET') [calls, seen] = [[], 0];
        send(response, { status: 200, body: calls });
      });
      return true;
    },
  ],
  faults: new Faults(),
  received: new ReceivedLog(1),
});
say({ url: `http://127.0.0.1:${await listen(server, 0)}` });
await untilStopped();
process.exit(0);
