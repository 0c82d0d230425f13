import { randomUUID } from 'node:crypto';
import { untilWritten, type AuditLog, type Caller } from '#platform';
import { PatchbayError } from '#sdk';
import type { StreamsService, StreamView } from '#streams';
import { readStream } from './event-stream-body.js';
import type { OldStreamsStore, StoredOldStream } from './event-streams.store.js';
import { deliveryOf, eventStreamView, ownerOf } from './subscription-stream.js';

type Json = Readonly<Record<string, unknown>>;
type OldStreamFields = Pick<StoredOldStream, 'stream' | 'headers'>;

/**
 * Event streams of old clients. What is done to one is done to the stream of each of its subscriptions; what breaks off half
 * way is done when it is asked for again.
 */
export class OldStreams {
  constructor(
    private readonly parts: {
      readonly store: OldStreamsStore;
      readonly streams: StreamsService;
      readonly audit: AuditLog;
    },
  ) {}

  async list(): Promise<Json[]> {
    return (await this.parts.store.list()).map(eventStreamView);
  }

  async get(id: string): Promise<Json> {
    return eventStreamView(await this.parts.store.get(id));
  }

  async create(body: unknown, caller: Caller): Promise<Json> {
    const id = `es-${randomUUID()}`;
    await this.parts.store.create(id, readStream(body), caller.name);
    await this.#note(caller, 'stream.create', id);
    return await this.get(id);
  }

  async change(id: string, body: unknown, caller: Caller): Promise<Json> {
    await this.#write(id, (before) => readStream(body, before));
    const setsState = (body as Json)['suspended'] !== undefined;
    const stored = await this.#pass(id, async (name, current) => {
      await this.parts.streams.replace(name, deliveryOf(current));
      if (setsState) await this.#setState(name, current);
    });
    await this.#note(caller, 'stream.change', id);
    return eventStreamView(stored);
  }

  async delete(id: string, caller: Caller): Promise<void> {
    await this.parts.store.get(id);
    for (const { name } of await this.subscriptionsOf(id)) await this.parts.streams.delete(name);
    await this.parts.store.delete(id);
    await this.#note(caller, 'stream.delete', id);
  }

  async suspend(id: string, caller: Caller): Promise<void> {
    await this.#set(id, true);
    await this.#note(caller, 'stream.suspend', id);
  }

  /** @throws request.conflict when it is not suspended */
  async resume(id: string, caller: Caller): Promise<void> {
    const { stream } = await this.parts.store.get(id);
    const subscriptions = await this.subscriptionsOf(id);
    if (!stream.isSuspended && subscriptions.every(({ state }) => state === 'running')) {
      throw new PatchbayError('request.conflict', { detail: `The event stream ${id} is active` });
    }
    await this.#set(id, false);
    await this.#note(caller, 'stream.resume', id);
  }

  /** By id, or by the name of exactly one. @throws stream.notFound */
  async find(reference: string): Promise<StoredOldStream> {
    const all = await this.parts.store.list();
    const [named, ...others] = all.filter(({ stream }) => stream.name === reference);
    const found = all.find(({ id }) => id === reference) ?? (others.length === 0 ? named : undefined);
    return found ?? (await this.parts.store.get(reference));
  }

  /** Those whose batches go to the clients that listen to a topic. */
  async withTopic(topic: string): Promise<StoredOldStream[]> {
    const all = await this.parts.store.list();
    return all.filter(
      ({ id, stream }) => stream.type === 'websocket' && (id === topic || topicOf(id, stream) === topic),
    );
  }

  async subscriptionsOf(id: string): Promise<StreamView[]> {
    return (await this.parts.streams.list()).filter((stream) => ownerOf(stream) === id);
  }

  async #set(id: string, isSuspended: boolean): Promise<void> {
    await this.#write(id, ({ stream, headers }) => ({ stream: { ...stream, isSuspended }, headers }));
    await this.#pass(id, (name, stored) => this.#setState(name, stored));
  }

  async #write(id: string, nextOf: (before: StoredOldStream) => OldStreamFields): Promise<void> {
    const { store } = this.parts;
    await untilWritten(id, async () => {
      const before = await store.get(id);
      return store.change(id, before.version, nextOf(before));
    });
  }

  /** To all its subscriptions, as it is by then: somebody may change it meanwhile. */
  async #pass(id: string, give: (name: string, stored: StoredOldStream) => Promise<unknown>): Promise<StoredOldStream> {
    const stored = await this.parts.store.get(id);
    for (const { name } of await this.subscriptionsOf(id)) await give(name, stored);
    const { version } = await this.parts.store.get(id);
    return version === stored.version ? stored : await this.#pass(id, give);
  }

  #setState(name: string, { stream }: StoredOldStream): Promise<unknown> {
    const { streams } = this.parts;
    return stream.isSuspended ? streams.suspend(name) : streams.resume(name);
  }

  #note(caller: Caller, action: string, subject: string): Promise<void> {
    return this.parts.audit.write({ actor: caller.name, action, subject });
  }
}

/** FireFly's clients listen by the name. Nobody shares the empty topic: without one it is the name, or the id. */
function topicOf(id: string, { topic, name, format }: StoredOldStream['stream']): string {
  const wanted = format === 'firefly' ? name : (topic ?? name);
  return wanted === '' ? id : wanted;
}
