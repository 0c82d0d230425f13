import { PatchbayError, z } from '#sdk';
import { consumerCommand, type ConsumerCommand, type ConsumerMessage } from './consumer-messages.js';
import { Listening } from './listening.js';
import type { StreamTarget } from './stream.js';

/** The connection to a client. */
export interface ConsumerLink {
  send(message: ConsumerMessage): void;
  /** Tells the client why, and ends the connection. */
  close(reason: PatchbayError): void;
}

export interface ConsumedStream {
  readonly name: string;
  readonly mode: 'one' | 'broadcast';
  readonly ackTimeoutMs: number;
}

export interface Attachment {
  close(): Promise<void>;
  /** Settles when nothing more comes: closed, or ended for another reason. */
  readonly finished: Promise<void>;
}

export interface ConsumerStreams {
  /** @throws stream.notFound; stream.invalid – its batches go somewhere else */
  get(stream: string): Promise<ConsumedStream>;
  /** The target gets its batches once nobody else is the consumer; `consumer` only for streams with mode `broadcast`. */
  attach(stream: string, consumer: string | undefined, target: StreamTarget): Promise<Attachment>;
}

const mostWaiting = 20;
const mostListenings = 100;

/** One client and the streams it listens to. It holds nothing that must survive: what was not acknowledged comes again. */
export class ConsumerSession {
  readonly #listenings = new Map<string, Listening>();
  #working: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;

  constructor(
    private readonly link: ConsumerLink,
    private readonly streams: ConsumerStreams,
  ) {}

  /**
   * Does what the client asks, after what it asked before.
   *
   * @throws request.invalid, request.conflict – a batch that is not in flight; stream.notFound, stream.invalid
   */
  async receive(input: unknown): Promise<void> {
    if (this.#isClosed) return;
    if (this.#waiting >= mostWaiting) {
      this.link.close(new PatchbayError('request.invalid', { detail: `More than ${mostWaiting} commands at once` }));
      return;
    }
    this.#waiting += 1;
    const done = this.#working.then(() => this.#perform(input));
    this.#working = done.catch(() => undefined).then(() => (this.#waiting -= 1));
    await done;
  }

  /** Ends the connection for a reason of the hub's. */
  end(reason: PatchbayError): void {
    this.link.close(reason);
  }

  /** Gives back what is in flight; to be called once the connection is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const listenings = [...this.#listenings.values()];
    this.#listenings.clear();
    await Promise.all([...listenings.map((listening) => listening.close()), this.#working]);
  }

  async #perform(input: unknown): Promise<void> {
    if (this.#isClosed) return;
    const command = parse(input);
    if (command.type === 'listen') return this.#listen(command);
    const listening = this.#listenings.get(command.stream);
    if (listening === undefined) {
      throw new PatchbayError('request.conflict', { detail: `This connection does not listen to ${command.stream}` });
    }
    if (command.type === 'ack') listening.accept(command);
    else listening.refuse(command, command.message);
  }

  async #listen({ stream, consumer }: Extract<ConsumerCommand, { type: 'listen' }>): Promise<void> {
    const { name, mode, ackTimeoutMs } = await this.streams.get(stream);
    if (this.#listenings.has(name)) {
      throw new PatchbayError('request.conflict', { detail: `This connection already listens to ${name}` });
    }
    if (this.#listenings.size >= mostListenings) {
      throw new PatchbayError('request.conflict', {
        detail: `A connection listens to ${mostListenings} streams at most`,
      });
    }
    assertConsumer(name, mode, consumer);
    const listening = new Listening({
      stream: name,
      ackTimeoutMs,
      send: (message) => this.link.send(message),
      giveUp: (reason) => this.link.close(reason),
    });
    this.#listenings.set(name, listening);
    try {
      const attachment = await this.streams.attach(name, consumer, listening);
      if (this.#isClosed) return await attachment.close();
      listening.bind(attachment, (reason) => this.#ended(name, listening, reason));
    } catch (error) {
      this.#listenings.delete(name);
      throw error;
    }
    this.link.send({ type: 'listening', stream: name, ...(consumer !== undefined && { consumer }) });
  }

  #ended(stream: string, listening: Listening, reason: PatchbayError): void {
    if (this.#listenings.get(stream) !== listening) return;
    this.#listenings.delete(stream);
    this.link.send({ type: 'ended', stream, code: reason.code, message: reason.detail });
  }
}

function parse(input: unknown): ConsumerCommand {
  const { success, data, error } = consumerCommand.safeParse(input);
  if (success) return data;
  throw new PatchbayError('request.invalid', {
    detail: `The command cannot be read: ${z.prettifyError(error).slice(0, 500)}`,
    fix: 'Send listen, ack or error, each with the name of its stream.',
  });
}

function assertConsumer(stream: string, mode: ConsumedStream['mode'], consumer: string | undefined): void {
  if (mode === 'broadcast' && consumer === undefined) {
    throw new PatchbayError('request.invalid', {
      detail: `Every consumer of ${stream} has its own position`,
      fix: 'Say which one listens: consumer.',
    });
  }
  if (mode === 'one' && consumer !== undefined) {
    throw new PatchbayError('request.invalid', {
      detail: `All consumers of ${stream} share one position`,
      fix: 'Leave consumer out, or give the stream the mode broadcast.',
    });
  }
}
