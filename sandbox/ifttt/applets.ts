import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** "If this": a trigger of the service with what a user filled in. */
export interface AppletWish {
  readonly name?: string | undefined;
  readonly trigger: string;
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** One event for which an Applet fired. */
export interface Fired {
  readonly id: string;
  readonly ingredients: Readonly<Record<string, unknown>>;
  readonly at: string;
  /** Realtime, or the clock. */
  readonly because: 'realtime' | 'clock';
}

export interface Applet {
  readonly id: string;
  readonly name: string;
  readonly trigger: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly identity: string;
  readonly fired: readonly Fired[];
  /** What the last poll met; undefined when all was well. */
  readonly problem: string | undefined;
}

/** The service that the Applets use: the hub. */
export interface ConnectedService {
  /** Its API URL prefix. */
  readonly url: string;
  readonly key: string;
  /** For a service with users. */
  readonly accessToken?: string | undefined;
}

export interface ActionResult {
  readonly status: number;
  readonly attempts: number;
  readonly body: unknown;
}

interface Running {
  readonly applet: Omit<Applet, 'fired' | 'problem'>;
  readonly seen: Set<string>;
  readonly fired: Fired[];
  /** The first poll only learns what there was before. */
  isFresh: boolean;
  problem: string | undefined;
}

export interface AppletsOptions {
  /** Default: an hour, as for users who do not pay. */
  readonly pollEveryMs?: number;
  /** Before each further attempt of an action. Default: 1 s, 2 s, 4 s. */
  readonly retryAfterMs?: readonly number[];
  /** Told of every event that an Applet fires for. */
  readonly onFired?: (applet: string, fired: Fired) => void;
}

const hourMs = 3_600_000;
/** A service that cannot be reached when an Applet is switched on is asked again soon. */
const firstPollRetryMs = 1_000;

/** Applets of one user: polled by the clock and when the service says that there is news; fire once for each `meta.id`. */
export class Applets {
  readonly #running = new Map<string, Running>();
  #service: ConnectedService | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #retries = new Set<NodeJS.Timeout>();

  constructor(private readonly options: AppletsOptions = {}) {}

  connect(service: ConnectedService): void {
    this.#service = service;
    this.#timer ??= setInterval(() => void this.pollAll('clock'), this.options.pollEveryMs ?? hourMs).unref();
  }

  list(): readonly Applet[] {
    return [...this.#running.values()].map(({ applet, fired, problem }) => ({ ...applet, fired: [...fired], problem }));
  }

  /** Polls at once, as IFTTT does within the first minute. */
  async switchOn({ name, trigger, fields = {} }: AppletWish): Promise<Applet> {
    const id = randomUUID();
    const identity = createHash('sha1')
      .update(JSON.stringify(['user-1', trigger, fields]))
      .digest('hex');
    const applet = { id, name: name ?? trigger, trigger, fields, identity };
    const running: Running = { applet, seen: new Set(), fired: [], isFresh: true, problem: undefined };
    this.#running.set(id, running);
    await this.#poll(running, 'clock');
    return { ...applet, fired: [], problem: running.problem };
  }

  /** Tells the service when it was the last Applet with these values. */
  async switchOff(id: string): Promise<void> {
    const { applet } = this.#running.get(id) ?? {};
    this.#running.delete(id);
    if (!applet || [...this.#running.values()].some((other) => other.applet.identity === applet.identity)) return;
    await this.#call('DELETE', `/triggers/${applet.trigger}/trigger_identity/${applet.identity}`, undefined);
  }

  async pollAll(because: Fired['because']): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => this.#poll(running, because)));
  }

  /** Identities that nobody has are passed over. */
  async pollIdentities(identities: ReadonlySet<string>): Promise<void> {
    const told = [...this.#running.values()].filter(({ applet }) => identities.has(applet.identity));
    await Promise.all(told.map((running) => this.#poll(running, 'realtime')));
  }

  /** "Then that": tried again after 5xx and lost answers, dropped after anything else. */
  async act(
    action: string,
    fields: Readonly<Record<string, unknown>>,
    source: { readonly id: string } = { id: 'applet-1' },
  ): Promise<ActionResult> {
    const body = {
      actionFields: fields,
      user: { timezone: 'America/Los_Angeles' },
      ifttt_source: { id: source.id, url: `https://ifttt.com/myrecipes/personal/${source.id}` },
    };
    const pauses = this.options.retryAfterMs ?? [1_000, 2_000, 4_000];
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#call('POST', `/actions/${action}`, body);
      const pauseMs = pauses[attempt - 1];
      const isOver = answer.status !== 0 && answer.status < 500;
      if (isOver || pauseMs === undefined) return { ...answer, attempts: attempt };
      await delay(pauseMs, undefined, { ref: false });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const retry of this.#retries) clearTimeout(retry);
    this.#running.clear();
  }

  async #poll(running: Running, because: Fired['because']): Promise<void> {
    const { trigger, fields, identity } = running.applet;
    const { status, body } = await this.#call(
      'POST',
      `/triggers/${trigger}`,
      { trigger_identity: identity, triggerFields: fields, limit: 50, user: { timezone: 'America/Los_Angeles' } },
      because === 'realtime' ? { 'x-ifttt-realtime': '1' } : {},
    );
    const items = status === 200 ? itemsOf(body) : undefined;
    running.problem = items ? undefined : `${status}: ${JSON.stringify(body)}`;
    if (!items) return this.#pollAgainIfFresh(running);
    // Newest first is how they come; they fire in the order in which they happened.
    for (const { meta, ...ingredients } of items.reverse()) {
      if (running.seen.has(meta.id)) continue;
      running.seen.add(meta.id);
      if (running.isFresh) continue;
      const fired = { id: meta.id, ingredients, at: new Date().toISOString(), because };
      running.fired.push(fired);
      this.options.onFired?.(running.applet.name, fired);
    }
    running.isFresh = false;
  }

  #pollAgainIfFresh(running: Running): void {
    if (!running.isFresh || !this.#running.has(running.applet.id)) return;
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      if (this.#running.has(running.applet.id)) void this.#poll(running, 'clock');
    }, firstPollRetryMs).unref();
    this.#retries.add(retry);
  }

  /** Status 0: there was no answer. */
  async #call(
    method: string,
    path: string,
    body: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const service = this.#service;
    if (!service) return { status: 0, body: 'No service is connected' };
    try {
      const response = await fetch(`${service.url}/ifttt/v1${path}`, {
        method,
        headers: {
          accept: 'application/json',
          'accept-charset': 'utf-8',
          'accept-encoding': 'gzip, deflate',
          'content-type': 'application/json',
          'ifttt-service-key': service.key,
          'ifttt-channel-key': service.key,
          'x-request-id': randomUUID().replaceAll('-', ''),
          ...(service.accessToken !== undefined && { authorization: `Bearer ${service.accessToken}` }),
          ...more,
        },
        // Keys that the service does not know: IFTTT adds some on purpose.
        ...(body !== undefined && {
          body: JSON.stringify({ ...body, [`extra_${randomUUID().slice(0, 8)}`]: 'ignore me' }),
        }),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : parsed(text) };
    } catch (error) {
      return { status: 0, body: String(error) };
    }
  }
}

interface Item extends Record<string, unknown> {
  readonly meta: { readonly id: string; readonly timestamp: number };
}

function itemsOf(body: unknown): Item[] {
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  // What is no list of items is a fault of the service that its own tests find.
  return Array.isArray(data) ? [...(data as Item[])] : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
