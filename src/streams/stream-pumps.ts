import { Looks, type Signals } from '#platform';
import { PatchbayError } from '#sdk';
import type { Attachment, ConsumedStream, ConsumerStreams } from './consumer-session.js';
import { StreamKeeper, type KeeperParts, type KeeperStatus } from './stream-keeper.js';
import type { StreamDefinition } from './stream.schema.js';
import type { StreamTarget } from './stream.js';
import type { StoredStream } from './streams.store.js';

export interface StreamPumpsParts extends KeeperParts {
  readonly signals: Signals;
  readonly createTarget: (definition: StreamDefinition) => StreamTarget;
}

/** Something about a stream was changed; may get lost. */
export const streamsTopic = 'streams';

const lookEveryMs = 1_000;

/**
 * The streams that this process serves: those whose targets the hub calls, by lease, and those that consumers with a
 * connection to this process listen to.
 */
export class StreamPumps implements ConsumerStreams {
  readonly #called = new Map<string, StreamKeeper>();
  readonly #attached = new Map<StreamKeeper, string>();
  readonly #looks: Looks;
  #serves = false;
  #isStopped = false;

  constructor(private readonly parts: StreamPumpsParts) {
    this.#looks = new Looks({
      look: () => this.#arrange(),
      failed: (error) => parts.log.info('The streams could not be arranged for now', { error }),
      everyMs: lookEveryMs,
      hears: { signals: parts.signals, topic: streamsTopic },
    });
  }

  /** @param options.callsTargets – false: only consumers that connect are served */
  start({ callsTargets }: { readonly callsTargets: boolean }): void {
    this.#serves = callsTargets;
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#looks.stop();
    await Promise.all([
      ...[...this.#called.values()].map((keeper) => keeper.close({ isPatient: true })),
      ...[...this.#attached.keys()].map((keeper) => keeper.close()),
    ]);
  }

  /** Those that are being pumped here at the moment. */
  status(): { readonly stream: string; readonly status: KeeperStatus }[] {
    const called = [...this.#called].map(([id, keeper]) => ({ stream: id, status: keeper.status }));
    const attached = [...this.#attached].map(([keeper, id]) => ({ stream: id, status: keeper.status }));
    return [...called, ...attached].flatMap(({ stream, status }) => (status ? [{ stream, status }] : []));
  }

  async get(name: string): Promise<ConsumedStream> {
    const stream = await this.#get(name);
    const { target } = (await this.parts.store.definition(stream.id)).definition;
    if (target.type === 'websocket') return { name, mode: target.mode, ackTimeoutMs: target.ackTimeout };
    throw new PatchbayError('stream.invalid', {
      detail: `The batches of ${name} go to a ${target.type}, not to who connects.`,
      fix: 'Give the stream the target websocket.',
    });
  }

  /**
   * The target gets its batches as soon as nobody else has the stream, or the consumer's place in it. `finished` rejects
   * when the stream is deleted.
   *
   * @throws stream.notFound, hub.stopping
   */
  async attach(name: string, consumer: string | undefined, target: StreamTarget): Promise<Attachment> {
    const stream = await this.#get(name);
    if (this.#isStopped) throw new PatchbayError('hub.stopping');
    const keeper = new StreamKeeper(stream, { consumer: consumer ?? '', openTarget: () => lent(target) }, this.parts);
    this.#attached.set(keeper, stream.id);
    const finished = keeper.finished.finally(() => this.#attached.delete(keeper));
    finished.catch(() => undefined);
    return { close: () => keeper.close(), finished };
  }

  async #get(name: string): Promise<StoredStream> {
    const stream = await this.parts.store.find(name);
    if (stream) return stream;
    throw new PatchbayError('stream.notFound', { detail: `There is no event stream called ${name}.` });
  }

  async #arrange(): Promise<void> {
    // Who comes from here on may have a stream that is not in the list yet.
    const attached = [...this.#attached];
    const streams = new Map((await this.parts.store.list()).map((stream) => [stream.id, stream]));
    for (const [keeper, id] of attached) keeper.update(streams.get(id));
    for (const [id, keeper] of this.#called) {
      const stream = streams.get(id);
      keeper.update(stream);
      if (stream && isCalled(stream)) continue;
      this.#called.delete(id);
      await keeper.close({ isPatient: true });
    }
    if (!this.#serves || this.#isStopped) return;
    for (const [id, stream] of streams) {
      if (this.#called.has(id) || !isCalled(stream)) continue;
      const keeper = new StreamKeeper(stream, { consumer: '', openTarget: this.parts.createTarget }, this.parts);
      keeper.finished.catch(() => undefined);
      this.#called.set(id, keeper);
    }
  }
}

function isCalled({ document }: StoredStream): boolean {
  const { type } = document['target'] as { readonly type?: unknown };
  return type !== 'websocket';
}

/** It is its owner who closes it. */
function lent(target: StreamTarget): StreamTarget {
  return {
    ...(target.endpoint === undefined ? {} : { endpoint: target.endpoint }),
    deliver: (batch, signal) => target.deliver(batch, signal),
  };
}
