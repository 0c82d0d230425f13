import { randomBytes } from 'node:crypto';
import {
  authenticationInvalid,
  connected,
  deliveriesUsedUp,
  handshakeDenied,
  refusedMessage,
  reply,
  unknownClient,
  type BayeuxMessage,
} from './bayeux-messages.js';
import type { BusEvent } from './event-bus.js';
import type { Faults } from './faults.js';

/** One HTTP exchange of the streaming endpoint. */
export interface BayeuxExchange {
  readonly messages: readonly BayeuxMessage[];
  /** Token of the caller when it is good. */
  readonly token: string | undefined;
  readonly hasToken: boolean;
  /** Value of the cookie that keeps a client on its server. */
  readonly cookie: string | undefined;
  answer(messages: readonly unknown[], headers?: Readonly<Record<string, string>>): void;
  /** Cuts the connection without an answer. */
  cut(): void;
  onClosed(listener: () => void): void;
}

interface Poll {
  readonly exchange: BayeuxExchange;
  readonly message: BayeuxMessage;
  readonly timer: NodeJS.Timeout;
}

interface Client {
  readonly id: string;
  readonly cookie: string;
  readonly token: string;
  readonly channels: Set<string>;
  queue: unknown[];
  poll: Poll | undefined;
  hasConnected: boolean;
  answeredAt: number;
}

export interface BayeuxServerOptions {
  readonly channelExists: (channel: string) => boolean;
  /** Kept events of a channel after an id; undefined when the id is not one of them. */
  readonly since: (channel: string, replayId: number) => readonly BusEvent[] | undefined;
  readonly faults: Faults;
  readonly now: () => Date;
  readonly longPollMs: number;
  /** How long a client may stay away between two polls. */
  readonly clientIdleMs: number;
  /** Clients at a time. */
  readonly maxClients: number;
  /** Events that are delivered before the quota of the day is used up. */
  readonly dailyDeliveries: number;
}

/** The streaming endpoint: Bayeux over long polling, with the replay extension and the answers Salesforce gives. */
export class BayeuxServer {
  readonly #options: BayeuxServerOptions;
  readonly #clients = new Map<string, Client>();
  /** Clients that were thrown out with advice `none`: they are told so again. */
  readonly #outcasts = new Set<string>();
  #delivered = 0;
  #isStopped = false;

  constructor(options: BayeuxServerOptions) {
    this.#options = options;
  }

  get clients(): readonly { id: string; channels: string[]; isPolling: boolean }[] {
    return [...this.#clients.values()].map(({ id, channels, poll }) => ({
      id,
      channels: [...channels],
      isPolling: poll !== undefined,
    }));
  }

  handle(exchange: BayeuxExchange): void {
    const answers: unknown[] = [];
    const headers: Record<string, string> = {};
    for (const message of exchange.messages) {
      const isHeld = message.channel === '/meta/connect' && this.#connect(exchange, message, answers);
      if (isHeld) return;
      if (message.channel === '/meta/handshake') answers.push(this.#handshake(exchange, message, headers));
      if (message.channel === '/meta/subscribe') answers.push(...this.#subscribe(exchange, message));
      if (message.channel === '/meta/unsubscribe') answers.push(...this.#unsubscribe(message));
      if (message.channel === '/meta/disconnect') answers.push(this.#disconnect(message));
    }
    exchange.answer(answers, headers);
  }

  get delivered(): number {
    return this.#delivered;
  }

  deliver({ channels, data }: BusEvent): void {
    this.#forgetIdle();
    for (const client of this.#clients.values()) {
      const heard = channels.filter((channel) => client.channels.has(channel));
      this.#send(
        client,
        heard.map((channel) => ({ channel, data })),
      );
    }
  }

  /** Whether the deliveries of the day are used up: subscribers are told so, and events are only kept. */
  stopDeliveries(isStopped: boolean): void {
    this.#isStopped = isStopped;
    if (!isStopped) {
      this.#delivered = 0;
      return;
    }
    for (const client of this.#clients.values()) {
      this.#clients.delete(client.id);
      if (client.poll !== undefined) this.#answer(client, [refusedMessage(client.poll.message, deliveriesUsedUp)]);
    }
  }

  /** Throws every client out, in one of the forms seen with real orgs. */
  drop(advice: 'none' | 'handshake' | 'disconnect'): void {
    for (const client of this.#clients.values()) {
      this.#clients.delete(client.id);
      if (advice !== 'handshake') this.#outcasts.add(client.id);
      const farewell = { channel: '/meta/disconnect', clientId: client.id, successful: true };
      if (client.poll === undefined) continue;
      const refusal = unknownClient(client.poll.message, advice === 'none' ? 'none' : 'handshake');
      if (advice === 'handshake') this.#answer(client, [refusal]);
      if (advice === 'none') this.#answer(client, [farewell, refusal]);
      if (advice === 'disconnect') this.#answer(client, [farewell]);
    }
  }

  /** Ends polls whose session is gone, as Salesforce does when it checks the token. */
  endExpired(isOpen: (token: string) => boolean): void {
    for (const client of this.#clients.values()) {
      if (isOpen(client.token)) continue;
      this.#clients.delete(client.id);
      if (client.poll !== undefined) this.#answer(client, [authenticationInvalid(client.poll.message)]);
    }
  }

  close(): void {
    for (const client of this.#clients.values()) {
      clearTimeout(client.poll?.timer);
      client.poll?.exchange.cut();
    }
    this.#clients.clear();
  }

  #handshake(exchange: BayeuxExchange, message: BayeuxMessage, headers: Record<string, string>): unknown {
    const refusal = this.#options.faults.take('refuseStream', 'cometd', 'POST', 'handshake');
    if (refusal !== undefined) return handshakeDenied(message, refusal.error, refusal.advice);
    if (exchange.token === undefined) {
      return handshakeDenied(
        message,
        exchange.hasToken ? '401::Authentication invalid' : '401::Request requires authentication',
      );
    }
    this.#forgetIdle();
    if (this.#clients.size >= this.#options.maxClients) {
      return handshakeDenied(message, '403::Organization concurrent user limit exceeded');
    }
    const client: Client = {
      id: randomBytes(14).toString('hex'),
      cookie: exchange.cookie ?? randomBytes(12).toString('base64url'),
      token: exchange.token,
      channels: new Set(),
      queue: [],
      poll: undefined,
      hasConnected: false,
      answeredAt: this.#options.now().getTime(),
    };
    this.#clients.set(client.id, client);
    headers['set-cookie'] = `BAYEUX_BROWSER=${client.cookie}; Path=/; HttpOnly`;
    return {
      ...reply(message),
      successful: true,
      version: '1.0',
      minimumVersion: '1.0',
      clientId: client.id,
      supportedConnectionTypes: ['long-polling'],
      ext: { replay: true, 'payload.format': true },
    };
  }

  /** Whether the answer waits for events; otherwise it was added to `answers`. */
  #connect(exchange: BayeuxExchange, message: BayeuxMessage, answers: unknown[]): boolean {
    if (exchange.token === undefined) {
      answers.push(authenticationInvalid(message));
      return false;
    }
    const client = this.#known(message);
    if (client === undefined) {
      const isOutcast = this.#outcasts.has(message.clientId ?? '');
      answers.push(unknownClient(message, isOutcast ? 'none' : 'handshake'));
      return false;
    }
    if (exchange.cookie !== client.cookie) {
      answers.push({
        ...reply(message),
        successful: false,
        error: `400::Client ${client.id} has established a session, but no BAYEUX_BROWSER cookie present`,
      });
      return false;
    }
    const refusal = this.#options.faults.take('refuseStream', 'cometd', 'POST', 'connect');
    if (refusal !== undefined || this.#isStopped) {
      answers.push(refusedMessage(message, refusal?.error ?? deliveriesUsedUp, refusal?.advice));
      return false;
    }
    if (this.#options.faults.take('silentStream', 'cometd', 'POST') !== undefined) return true;
    // A second poll of the same client ends the first one.
    if (client.poll !== undefined) this.#answer(client, [{ ...reply(client.poll.message), successful: true }]);
    const isFirst = !client.hasConnected;
    client.hasConnected = true;
    if (isFirst || exchange.messages.length > 1) {
      answers.push(...client.queue.splice(0), { ...connected(message), advice: this.#advice() });
      client.answeredAt = this.#options.now().getTime();
      return false;
    }
    const waitMs = message.advice?.timeout ?? this.#options.longPollMs;
    const timer = setTimeout(() => this.#answer(client, [connected(message)]), waitMs);
    client.poll = { exchange, message, timer };
    exchange.onClosed(() => {
      if (client.poll?.exchange !== exchange) return;
      clearTimeout(timer);
      client.poll = undefined;
      client.answeredAt = this.#options.now().getTime();
    });
    if (client.queue.length > 0) this.#answer(client, [connected(message)]);
    return true;
  }

  #subscribe(exchange: BayeuxExchange, message: BayeuxMessage): unknown[] {
    const client = this.#known(message);
    if (exchange.token === undefined) return [authenticationInvalid(message)];
    if (client === undefined) return [unknownClient(message, 'handshake')];
    const channels = [message.subscription ?? []].flat();
    return channels.map((channel) => {
      const answer = { ...reply(message), clientId: client.id, subscription: channel };
      const replay = message.ext?.replay;
      const from = typeof replay === 'object' ? replay[channel] : -1;
      const failed = (error: string) => ({ ...answer, successful: false, error });
      const refusal = this.#options.faults.take('refuseStream', 'cometd', 'POST', `subscribe ${channel}`);
      if (refusal !== undefined || this.#isStopped) return failed(refusal?.error ?? deliveriesUsedUp);
      if (!this.#options.channelExists(channel)) {
        return failed(`400::The channel you requested to subscribe to does not exist {${channel}}`);
      }
      if (from === undefined) {
        return failed(
          `400::The replayId for channel {${channel}} wasn't found using the provided replay ID map {${JSON.stringify(replay)}}`,
        );
      }
      const missed = this.#options.since(channel, from);
      if (missed === undefined) {
        return failed(
          `400::The replayId {${from}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`,
        );
      }
      client.channels.add(channel);
      // Events follow after the answer to the subscription.
      queueMicrotask(() =>
        this.#send(
          client,
          missed.map(({ data }) => ({ channel, data })),
        ),
      );
      return { ...answer, successful: true };
    });
  }

  #unsubscribe(message: BayeuxMessage): unknown[] {
    const client = this.#known(message);
    if (client === undefined) return [unknownClient(message, 'handshake')];
    return [message.subscription ?? []].flat().map((channel) => {
      client.channels.delete(channel);
      return { ...reply(message), clientId: client.id, subscription: channel, successful: true };
    });
  }

  #disconnect(message: BayeuxMessage): unknown {
    const client = this.#known(message);
    if (client === undefined) return unknownClient(message, 'none');
    this.#clients.delete(client.id);
    if (client.poll !== undefined) this.#answer(client, [connected(client.poll.message)]);
    return { ...reply(message), clientId: client.id, successful: true };
  }

  #known(message: BayeuxMessage): Client | undefined {
    this.#forgetIdle();
    return this.#clients.get(message.clientId ?? '');
  }

  #send(client: Client, messages: readonly unknown[]): void {
    if (messages.length === 0 || this.#isStopped) return;
    client.queue.push(...messages);
    this.#delivered += messages.length;
    if (this.#delivered >= this.#options.dailyDeliveries) queueMicrotask(() => this.stopDeliveries(true));
    if (client.poll !== undefined) this.#answer(client, [connected(client.poll.message)]);
  }

  #answer(client: Client, last: readonly unknown[]): void {
    const { poll } = client;
    if (poll === undefined) return;
    clearTimeout(poll.timer);
    client.poll = undefined;
    client.answeredAt = this.#options.now().getTime();
    const events = client.queue.splice(0);
    if (events.length > 0 && this.#options.faults.take('loseAnswer', 'cometd', 'POST') !== undefined) {
      poll.exchange.cut();
      return;
    }
    poll.exchange.answer([...events, ...last]);
  }

  #advice() {
    return { reconnect: 'retry', interval: 0, timeout: this.#options.longPollMs };
  }

  #forgetIdle(): void {
    const oldest = this.#options.now().getTime() - this.#options.clientIdleMs;
    for (const client of this.#clients.values()) {
      if (client.poll === undefined && client.answeredAt < oldest) this.#clients.delete(client.id);
    }
  }
}
