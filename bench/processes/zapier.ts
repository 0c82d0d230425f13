import { parseBody, readBody, createSandboxServer, listen, send } from '../../sandbox/server.js';
import { Faults } from '../../sandbox/faults.js';
import { ReceivedLog } from '../../sandbox/received.js';
import { createZapierHooks } from '../../sandbox/zapier/hooks.js';
import type { HookFault, HookReport } from '../../sandbox/zapier/rest-hook.js';
import { say, untilStopped } from './part-process.js';

/** What each hook saw, by its name. */
export type ZapierState = Readonly<Record<string, HookReport>>;

export interface HookOrder {
  readonly hook: string;
  readonly faults: readonly HookFault[];
}

let zapier = createZapierHooks();
const hooks = new Set<string>();

const server = createSandboxServer({
  standIns: [
    {
      name: 'zapier',
      reply: (exchange) => {
        const [, hook] = /^\/hooks\/standard\/(\w+\/\w+)/.exec(exchange.path) ?? [];
        if (hook !== undefined) hooks.add(hook);
        return zapier.reply(exchange);
      },
    },
  ],
  routes: [
    (request, response, path) => {
      if (path !== '/bench') return false;
      void readBody(request).then((body) => {
        if (request.method === 'POST') {
          const { hook, faults } = parseBody(body) as HookOrder;
          zapier.hook(hook).fail(faults);
        }
        if (request.method === 'DELETE') {
          zapier = createZapierHooks();
          hooks.clear();
        }
        const state: ZapierState = Object.fromEntries([...hooks].map((hook) => [hook, zapier.hook(hook).report()]));
        send(response, { status: 200, body: state });
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
