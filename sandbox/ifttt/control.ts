import { z } from 'zod';
import type { IftttStandIn } from './ifttt.js';

const service = z.strictObject({ url: z.url(), accessToken: z.string().optional() });
const fields = z.record(z.string(), z.unknown()).optional();
const applet = z.strictObject({ name: z.string().optional(), trigger: z.string(), fields });
const action = z.strictObject({ action: z.string(), fields, applet: z.string().optional() });

type Act = (body: unknown, query: URLSearchParams) => unknown;

/** `/_ifttt/…`: what a user would do at ifttt.com. */
export function iftttActs(ifttt: IftttStandIn): Readonly<Record<string, Act>> {
  return {
    'POST /_ifttt/service': (body) => {
      const { url, accessToken } = service.parse(body);
      ifttt.connect(url, accessToken);
    },
    'GET /_ifttt/applets': () => ({ applets: ifttt.applets.list() }),
    'POST /_ifttt/applets': (body) => ifttt.applets.switchOn(applet.parse(body)),
    'DELETE /_ifttt/applets': (_body, query) => ifttt.applets.switchOff(query.get('id') ?? ''),
    'POST /_ifttt/poll': () => ifttt.applets.pollAll('clock'),
    'POST /_ifttt/actions': (body) => {
      const wish = action.parse(body);
      return ifttt.applets.act(
        wish.action,
        wish.fields ?? {},
        wish.applet === undefined ? undefined : { id: wish.applet },
      );
    },
    'GET /_ifttt/notifications': () => ({ notifications: ifttt.notifications }),
  };
}
