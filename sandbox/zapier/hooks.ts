import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Exchange, Reply, StandIn } from '../stand-in.js';
import { RestHook } from './rest-hook.js';

/** Plays Zapier: what it receives, and what it does when a Zap is switched on or off. */
export interface ZapierStandIn extends StandIn {
  /** One REST hook; it is there as soon as somebody asks. */
  hook(name: string): RestHook;
  /** What was posted to a step that waits. */
  callbacks(): ReadonlyMap<string, readonly unknown[]>;
}

const fault = z.strictObject({
  kind: z.enum(['ok', '410', '429', '500', 'slow', 'reset', 'reset-after']),
  retryAfterSeconds: z.number().int().min(0).optional(),
  asDate: z.boolean().optional(),
  delayMs: z.number().int().min(0).optional(),
});
const faultsBody = z.strictObject({ faults: z.array(fault).min(1) });
const zapBody = z.strictObject({
  /** Where the hub is, and its key: what a user of Zapier fills in. */
  hub: z.url(),
  key: z.string(),
  trigger: z.string(),
  input: z.record(z.string(), z.unknown()).default({}),
  inBatch: z.boolean().default(false),
});

/**
 * A Catch Hook (`/hooks/catch/<user>/<zap>/`) always accepts, whether or not a Zap listens. A REST hook
 * (`/hooks/standard/<user>/<hook>/`) answers 410 once it was turned off. A callback (`/hooks/callback/<id>`) keeps what it is
 * told. Under `/zaps` Zaps are switched on and off, told to fail, and asked what they have seen.
 */
export function createZapierHooks(): ZapierStandIn {
  const hooks = new Map<string, RestHook>();
  const callbacks = new Map<string, unknown[]>();
  const zaps = new Map<string, { readonly hub: string; readonly key: string; readonly subscription: string }>();

  function hook(name: string): RestHook {
    let found = hooks.get(name);
    if (found === undefined) hooks.set(name, (found = new RestHook()));
    return found;
  }

  async function receive(kind: string, name: string, exchange: Exchange): Promise<Reply> {
    const { method, body } = exchange;
    if (kind === 'standard' && method === 'DELETE') {
      hook(name).turnOff();
      return { status: 204 };
    }
    if (!['POST', 'PUT', 'GET'].includes(method)) return { status: 405, body: 'Method Not Allowed' };
    if (kind === 'standard') return hook(name).take(exchange);
    if (kind === 'callback') callbacks.set(name, [...(callbacks.get(name) ?? []), body]);
    return {
      status: 200,
      body: { status: 'success', attempt: randomUUID(), id: randomUUID(), request_id: randomUUID() },
    };
  }

  /** As Zapier does it when a Zap is switched on. */
  async function switchOn(name: string, { body, headers }: Exchange): Promise<Reply> {
    const { hub, key, ...wanted } = zapBody.parse(body);
    const targetUrl = `http://${headers['host'] ?? ''}/zapier/hooks/standard/1001/${name}/`;
    const answer = await fetch(`${hub}/zapier/subscriptions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...wanted, targetUrl }),
    });
    const subscribed = (await answer.json()) as { readonly id?: string };
    if (subscribed.id !== undefined) zaps.set(name, { hub, key, subscription: subscribed.id });
    return { status: answer.status, body: subscribed };
  }

  async function switchOff(name: string): Promise<Reply> {
    const zap = zaps.get(name);
    zaps.delete(name);
    hook(`1001/${name}`).turnOff();
    if (zap === undefined) return { status: 204 };
    const answer = await fetch(`${zap.hub}/zapier/subscriptions/${zap.subscription}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${zap.key}` },
    });
    return { status: answer.status, body: await answer.text() };
  }

  async function command(name: string, act: string | undefined, exchange: Exchange): Promise<Reply> {
    const of = hook(`1001/${name}`);
    const verb = `${exchange.method}${act === undefined ? '' : ` ${act}`}`;
    if (verb === 'POST') return switchOn(name, exchange);
    if (verb === 'DELETE') return switchOff(name);
    if (verb === 'GET') return { status: 200, body: { ...of.report(), newest: of.newest() } };
    if (verb !== 'POST faults') return { status: 404, body: 'Not Found' };
    of.fail(faultsBody.parse(exchange.body).faults);
    return { status: 204 };
  }

  return {
    name: 'zapier',
    hook,
    callbacks: () => callbacks,
    async reply(exchange) {
      const [, zap, act] = /^\/zaps\/([\w-]+)(?:\/(faults))?\/?$/.exec(exchange.path) ?? [];
      if (zap !== undefined) {
        try {
          return await command(zap, act, exchange);
        } catch (error) {
          return { status: 400, body: String(error) };
        }
      }
      const [, kind, name] = /^\/hooks\/(catch|standard|callback)\/([^/]+(?:\/[^/]+)?)\/?$/.exec(exchange.path) ?? [];
      const isWhole = kind !== undefined && name !== undefined && (kind === 'callback') !== name.includes('/');
      return isWhole ? receive(kind, name, exchange) : { status: 404, body: 'Not Found' };
    },
  };
}
