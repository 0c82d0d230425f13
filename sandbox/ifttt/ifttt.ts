import type { Exchange, Reply, StandIn } from '../stand-in.js';
import { Applets, type AppletsOptions } from './applets.js';
import { createMaker } from './maker.js';

export interface IftttOptions extends AppletsOptions {
  /** Of the Webhooks service. */
  readonly makerKey: string;
  /** Of the service that the hub plays. */
  readonly serviceKey: string;
}

/** One call of the Realtime API. */
export interface Notification {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly identities: readonly string[];
}

/** As many as the real one takes. */
const mostEntries = 1_000;

/**
 * Plays IFTTT: the Webhooks service, and the other side of the service API. It polls the hub like IFTTT does, receives its
 * Realtime notifications, and posts actions.
 */
export class IftttStandIn implements StandIn {
  readonly name = 'ifttt';
  readonly applets: Applets;
  readonly #maker: StandIn;
  readonly #notifications: Notification[] = [];

  constructor(private readonly options: IftttOptions) {
    this.applets = new Applets(options);
    this.#maker = createMaker(options.makerKey);
  }

  /** Those that were accepted, oldest first. */
  get notifications(): readonly Notification[] {
    return this.#notifications;
  }

  connect(url: string, accessToken?: string): void {
    this.applets.connect({ url: url.replace(/\/+$/, ''), key: this.options.serviceKey, accessToken });
  }

  reply(exchange: Exchange): Reply | Promise<Reply> {
    if (exchange.path === '/v1/notifications') return this.#notified(exchange);
    return this.#maker.reply(exchange);
  }

  stop(): void {
    this.applets.stop();
  }

  #notified({ method, headers, body }: Exchange): Reply {
    if (method !== 'POST') return refusal(404, 'Not found');
    if (headers['ifttt-service-key'] !== this.options.serviceKey) return refusal(401, 'Unauthorized');
    const entries = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
    if (!Array.isArray(entries) || entries.length > mostEntries)
      return refusal(400, 'data must have up to 1000 entries');
    const identities = entries.map((entry: { trigger_identity?: unknown }) => entry.trigger_identity);
    if (!identities.every((one) => typeof one === 'string'))
      return refusal(400, 'Every entry needs a trigger_identity');
    this.#notifications.push({ at: Date.now(), identities });
    // It answers first and polls then.
    setImmediate(() => void this.applets.pollIdentities(new Set(identities)));
    return { status: 200, body: { data: [] } };
  }
}

function refusal(status: number, message: string): Reply {
  return { status, body: { errors: [{ message }] } };
}
