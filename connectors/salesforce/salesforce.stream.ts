import { setTimeout as delay } from 'node:timers/promises';
import { PatchbayError, type HttpClient, type Logger } from '#sdk';
import { BayeuxClient, type BayeuxMessage } from './bayeux.client.js';
import { ChannelListener, type HeardEvents, type ListenRequest } from './channel-listener.js';
import type { SalesforceLogin, Session } from './salesforce.login.js';
import { problemOf, type StreamProblem } from './stream-problem.js';

export interface StreamTiming {
  /** How much longer than the server's own waiting time a poll may stay unanswered before it counts as lost. */
  readonly graceMs: number;
  /** Pause after the second failure in a row; the first one is followed by a new attempt at once. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Pause after the org said that a limit is reached. */
  readonly limitPauseMs: number;
  /** How long polling must go well for earlier failures to be forgotten. */
  readonly settledAfterMs: number;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface SalesforceStreamOptions {
  readonly login: SalesforceLogin;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly apiVersion: string;
  readonly timing?: Partial<StreamTiming>;
}

const defaultTiming: StreamTiming = {
  graceMs: 40_000,
  firstPauseMs: 1_000,
  longestPauseMs: 120_000,
  limitPauseMs: 120_000,
  settledAfterMs: 60_000,
  random: Math.random,
};
/** Events that may wait to be taken before polling pauses. */
const waitingMax = 2_000;
/** The stamp of an event is older than the event by the length of its transaction. */
const stampLagMs = 5_000;
const hourMs = 3_600_000;
const newOnly = -1;
const allKept = -2;

/** A client that is connected, and what it is subscribed to. */
interface Link {
  readonly client: BayeuxClient;
  readonly session: Session;
  /** Channels it receives, or received until nobody wanted them. */
  readonly channels: Map<string, 'subscribed' | 'given up'>;
  /**
   * Who may be told what arrives, and since when: events that were on their way for somebody else could overtake a
   * replay.
   */
  readonly served: Map<ChannelListener, number>;
  /** Aborted when the link is of no more use. */
  readonly broken: AbortController;
}

/**
 * Hears the push topics, change events and platform events of one org. Whatever goes wrong, the Bayeux client is thrown away and a new one subscribes after
 * the last event that was received: the server replays what was missed. One client serves all channels, because an org
 * has few seats; it lives as long as anybody listens.
 */
export class SalesforceStream {
  readonly #options: SalesforceStreamOptions;
  readonly #timing: StreamTiming;
  readonly #listeners = new Set<ChannelListener>();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #link: Link | undefined;
  #fitting: Promise<void> = Promise.resolve();
  #taken: () => void = () => undefined;
  /** A new client was asked for; nothing failed. */
  #isRenewed = false;

  constructor(options: SalesforceStreamOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
  }

  /** The events of a channel, in the order of the org, until the signal is aborted. */
  async *events(request: ListenRequest): AsyncGenerator<HeardEvents> {
    if (this.#closing.signal.aborted) throw closed();
    const listener = this.#join(request);
    try {
      for (let heard = await listener.take(); heard !== undefined; heard = await listener.take()) yield heard;
    } finally {
      this.#leave(listener);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#failAll(closed());
    await this.#running;
  }

  // ------------------------------------------------------------ who listens

  #join(request: ListenRequest): ChannelListener {
    const listener = new ChannelListener(request, () => this.#taken());
    this.#listeners.add(listener);
    this.#fitLink();
    this.#running ??= this.#run();
    return listener;
  }

  #leave(listener: ChannelListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#link?.broken.abort(lost('nobody listens any more'));
    else this.#fitLink();
  }

  #fitLink(): void {
    const link = this.#link;
    if (link !== undefined) this.#fit(link).catch((error: unknown) => link.broken.abort(error));
  }

  #on(channel: string): ChannelListener[] {
    return [...this.#listeners].filter(({ request }) => request.channel === channel);
  }

  // ------------------------------------------------------------ one client after the other

  async #run(): Promise<void> {
    let failures = 0;
    while (this.#listeners.size > 0 && !this.#closing.signal.aborted) {
      const startedAt = Date.now();
      const error = await this.#hold().then(
        () => undefined,
        (thrown: unknown) => PatchbayError.from(thrown),
      );
      if (this.#closing.signal.aborted || error === undefined) continue;
      if (this.#isRenewed) {
        this.#isRenewed = false;
        continue;
      }
      if (
        error.code === 'connection.unauthorised' ||
        error.code === 'connection.invalid' ||
        error.code === 'target.forbidden'
      ) {
        this.#failAll(error);
        continue;
      }
      failures = Date.now() - startedAt > this.#timing.settledAfterMs ? 1 : failures + 1;
      const pauseMs = this.#pauseMs(failures, error);
      this.#options.log.warn('The Salesforce stream is connected anew', { reason: error.detail, failures, pauseMs });
      await delay(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
    this.#running = undefined;
  }

  #pauseMs(failures: number, error: PatchbayError): number {
    const { firstPauseMs, longestPauseMs, random } = this.#timing;
    const steady = failures === 1 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 2));
    return Math.round(Math.max(steady, error.retryAfterMs ?? 0) * (0.5 + random() / 2));
  }

  /** Lives with one client until it is of no more use; throws the reason unless nobody listens any more. */
  async #hold(): Promise<void> {
    const { login, http, apiVersion } = this.#options;
    const session = await login.current();
    const client = new BayeuxClient({ http, session, apiVersion });
    const broken = new AbortController();
    const signal = AbortSignal.any([broken.signal, this.#closing.signal]);
    const link: Link = { client, session, channels: new Map(), served: new Map(), broken };
    signal.addEventListener('abort', () => this.#taken(), { once: true });
    await this.#expectSuccess(session, await client.handshake(signal));
    this.#link = link;
    try {
      await this.#fit(link);
      await this.#poll(link, signal);
    } catch (error) {
      if (this.#listeners.size === 0) return;
      throw PatchbayError.from(broken.signal.aborted ? broken.signal.reason : error);
    } finally {
      this.#link = undefined;
      broken.abort();
      // The seat also frees itself after some time; nothing depends on this answer.
      await client.disconnect(AbortSignal.timeout(2_000)).catch(() => undefined);
    }
  }

  async #poll(link: Link, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const messages = await link.client.connect(this.#timing.graceMs, signal);
      if (signal.aborted) return;
      for (const message of messages) {
        if (!message.channel.startsWith('/meta/')) this.#deliver(link, message);
      }
      for (const message of messages) {
        if (message.channel === '/meta/disconnect') throw lost('the server ended the connection');
        if (message.channel === '/meta/connect') await this.#expectSuccess(link.session, message);
      }
      this.#tellSafe(link);
      await this.#roomForMore(signal);
    }
  }

  /** What was replayed has long arrived, so that nothing older is on its way. */
  #tellSafe({ client, served }: Link): void {
    for (const [listener, since] of served) {
      if (Date.now() - since > this.#timing.settledAfterMs) listener.isSafeAt(client.serverTime - stampLagMs);
    }
  }

  #deliver(link: Link, { channel, data }: BayeuxMessage): void {
    for (const listener of this.#on(channel)) {
      if (!link.served.has(listener) || listener.accept(link.session.orgId, data)) continue;
      this.#options.log.error('An event of Salesforce cannot be read and is left out', { channel, data });
    }
  }

  /** Pauses polling while what was heard is not taken; a session that ends meanwhile is replaced, and nothing is lost. */
  async #roomForMore(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && [...this.#listeners].some(({ waiting }) => waiting > waitingMax)) {
      await new Promise<void>((resolve) => (this.#taken = resolve));
    }
  }

  async #expectSuccess(session: Session, message: BayeuxMessage): Promise<void> {
    const problem = problemOf(message);
    if (problem === undefined) return;
    if (problem.kind === 'session') await this.#options.login.renew(session);
    if (problem.kind === 'limit') {
      if (/total events daily limit/i.test(problem.text)) this.#loseUntilDelivered(problem.text);
      throw new PatchbayError('salesforce.limit', { detail: problem.text, retryAfterMs: this.#timing.limitPauseMs });
    }
    throw lost(problem.text);
  }

  /** Catching up by query costs none of the deliveries that are used up; by replay it would use up the next ones. */
  #loseUntilDelivered(reason: string): void {
    for (const listener of this.#listeners) {
      if (listener.request.onExpired === 'reconcile') listener.lose(reason, 'new');
    }
  }

  #failAll(error: PatchbayError): void {
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener.fail(error);
    }
  }

  // ------------------------------------------------------------ channels

  /**
   * Serves everybody who is not served yet, and gives up what nobody wants any more; one call after the other, so that no
   * channel is subscribed twice, or given up while it is being subscribed.
   */
  #fit(link: Link): Promise<void> {
    this.#fitting = this.#fitting
      .catch(() => undefined)
      .then(async () => {
        for (;;) {
          await this.#giveUpUnwanted(link);
          const next = [...this.#listeners].find((listener) => !link.served.has(listener));
          if (next === undefined || link.broken.signal.aborted) return;
          if (link.channels.has(next.request.channel)) this.#serveFromNow(link, next);
          else await this.#subscribe(link, next.request.channel);
        }
      });
    return this.#fitting;
  }

  async #giveUpUnwanted({ channels, client, broken }: Link): Promise<void> {
    for (const [channel, state] of channels) {
      if (state === 'given up' || this.#on(channel).length > 0 || broken.signal.aborted) continue;
      channels.set(channel, 'given up');
      await client.unsubscribe(channel, broken.signal);
    }
  }

  /** Lets one more hear a channel that already arrives, if it wants nothing older; else a new client has to begin earlier. */
  #serveFromNow(link: Link, listener: ChannelListener): void {
    const { channel } = listener.request;
    if (link.channels.get(channel) === 'given up' || listener.place !== undefined || listener.begin === 'earliest') {
      this.#isRenewed = true;
      throw lost(`earlier events of ${channel} are wanted`);
    }
    this.#beginNow(link, listener);
    link.served.set(listener, Date.now());
  }

  #beginNow({ client, session }: Link, listener: ChannelListener): void {
    listener.beginAt(session.orgId, client.serverTime - stampLagMs);
  }

  async #subscribe(link: Link, channel: string): Promise<void> {
    const listeners = this.#on(channel);
    for (const listener of listeners) this.#forgetUnusable(listener, link);
    const wanted = listeners.filter((listener) => this.#listeners.has(listener));
    if (wanted.length === 0) return;
    const from = startOf(wanted);
    const oldest = Math.min(...wanted.flatMap(({ replayId }) => replayId ?? []));
    if (from === allKept && Number.isFinite(oldest)) {
      const problem = await this.#probe(link, channel, oldest);
      if (problem?.kind === 'replay') return this.#expireAt(wanted, oldest, problem.text);
    }
    // Before the answer is read, the first events may already have arrived with a poll.
    for (const listener of wanted) link.served.set(listener, Date.now());
    const answer = await link.client.subscribe(channel, from, link.broken.signal);
    const problem = problemOf(answer);
    if (problem === undefined) {
      link.channels.set(channel, 'subscribed');
      for (const listener of wanted) {
        if (listener.place === undefined && listener.begin === 'new') this.#beginNow(link, listener);
      }
      return;
    }
    for (const listener of wanted) link.served.delete(listener);
    if (problem.kind === 'replay') return this.#expireAt(wanted, from, problem.text);
    if (problem.kind !== 'refused') await this.#expectSuccess(link.session, answer);
    this.#refuse(wanted, channel, problem.text);
  }

  /**
   * Asks with a client of its own whether a place is still kept. One who wants all that is kept would hide that another
   * one's place is lost; and what a question on the same client brings along would overtake the replay.
   */
  async #probe({ session, broken }: Link, channel: string, replayId: number): Promise<StreamProblem | undefined> {
    const { http, apiVersion } = this.#options;
    const client = new BayeuxClient({ http, session, apiVersion });
    await this.#expectSuccess(session, await client.handshake(broken.signal));
    const answer = await client.subscribe(channel, replayId, broken.signal);
    await client.disconnect(broken.signal);
    return problemOf(answer);
  }

  #expireAt(listeners: readonly ChannelListener[], replayId: number, reason: string): void {
    for (const listener of listeners) if (listener.replayId === replayId) this.#expire(listener, reason);
  }

  #forgetUnusable(listener: ChannelListener, { session, client }: Link): void {
    const { place, request } = listener;
    if (place === undefined) return;
    if (place.orgId !== session.orgId) {
      this.#expire(listener, `the place belongs to org ${place.orgId}, not to ${session.orgId}`);
      return;
    }
    const keptMs = (request.channel.startsWith('/topic/') ? 24 : 72) * hourMs;
    // An id that is too old is refused; a time is not, and what is missing would not be noticed.
    if ('since' in place && client.serverTime - place.since > keptMs) {
      this.#expire(listener, 'the place is older than what is kept');
    }
  }

  /** The events since the place are no longer kept: says so, and goes on as the flow decided. */
  #expire(listener: ChannelListener, reason: string): void {
    const { channel, onExpired } = listener.request;
    const { replayId } = listener;
    this.#options.log.warn('Events of Salesforce were missed: the place is no longer kept', {
      channel,
      replayId,
      onExpired,
      reason,
    });
    listener.lose(reason, onExpired === 'earliest' ? 'earliest' : 'new');
    if (onExpired === 'fail') {
      this.#listeners.delete(listener);
      const fix = 'Compare the records by hand, then start the flow afresh.';
      listener.fail(new PatchbayError('salesforce.replayExpired', { detail: `${channel}: ${reason}`, fix }));
    }
  }

  #refuse(listeners: readonly ChannelListener[], channel: string, text: string): void {
    for (const listener of listeners) {
      this.#listeners.delete(listener);
      listener.fail(
        new PatchbayError('salesforce.configuration', {
          detail: `Salesforce refused the subscription to ${channel}: ${text}`,
          fix: 'Check the name of the channel, that it is active or selected for change data capture, and the rights of the run-as user.',
        }),
      );
    }
  }
}

/** The earliest start that suits everybody on a channel; each one leaves out what it already has. */
function startOf(listeners: readonly ChannelListener[]): number {
  const needsAll = ({ place, begin }: ChannelListener) =>
    place === undefined ? begin === 'earliest' : 'since' in place;
  if (listeners.some(needsAll)) return allKept;
  const ids = listeners.flatMap(({ replayId }) => replayId ?? []);
  return ids.length === 0 ? newOnly : Math.min(...ids);
}

function lost(reason: string): PatchbayError {
  return new PatchbayError('salesforce.unavailable', { detail: `The stream of Salesforce was lost: ${reason}` });
}

function closed(): PatchbayError {
  return new PatchbayError('connection.refused', { detail: 'The connection was closed while it was listened to' });
}
