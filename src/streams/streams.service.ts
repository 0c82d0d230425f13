import { untilWritten, type Signals } from '#platform';
import { PatchbayError } from '#sdk';
import { parseStream, type StreamDocument } from './stream-document.js';
import { selectingFields, type StreamDefinition, type StreamStart } from './stream.schema.js';
import type { Lag, StreamSource } from './stream-source.js';
import { streamsTopic } from './stream-pumps.js';
import type { StreamBatch, StreamEvent, StreamTarget } from './stream.js';
import type { OpenedStream, StoredPosition, StoredStream, StreamDeadLetter, StreamsStore } from './streams.store.js';

export interface StreamsServiceParts {
  readonly store: StreamsStore;
  readonly signals: Signals;
  readonly openSource: (definition: StreamDefinition) => Promise<StreamSource>;
  readonly createTarget: (definition: StreamDefinition) => StreamTarget;
}

export interface StreamView {
  readonly id: string;
  readonly name: string;
  readonly state: StoredStream['state'];
  readonly reason: string | null;
  readonly definition: StreamDocument;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface PositionView extends Omit<StoredPosition, 'stream'> {
  readonly block: number | null;
  readonly lag: Lag | null;
}

const lagPatienceMs = 2_000;
const retryPatienceMs = 30_000;

/** Streams as people deal with them. A place never moves unless somebody asks for exactly that. */
export class StreamsService {
  constructor(private readonly parts: StreamsServiceParts) {}

  async list(): Promise<StreamView[]> {
    return (await this.parts.store.list()).map(viewOf);
  }

  async get(name: string): Promise<StreamView & { readonly positions: PositionView[] }> {
    const stream = await this.#get(name);
    const positions = await this.parts.store.positions([stream.id]);
    const lagOf = await this.#lags(stream.id);
    return {
      ...viewOf(stream),
      positions: await Promise.all(
        positions.map(async ({ stream: _, ...position }) => ({
          ...position,
          block: blockOf(position.cursor),
          lag: position.cursor === null ? null : await lagOf(position.cursor),
        })),
      ),
    };
  }

  /**
   * What it names is looked up at once, and `from: now` is this moment.
   *
   * @throws stream.invalid, evm.unknownContract, evm.unknownFunction, evm.arguments, request.conflict, evm.rpc
   */
  async create(
    document: StreamDocument,
    createdBy: string,
    state: StoredStream['state'] = 'running',
  ): Promise<StreamView> {
    const { definition } = parseStream(document);
    const source = await this.#check(definition);
    const cursor = await beginningOf(definition, source, definition.from);
    await this.parts.store.create(document, { createdBy, state, cursor });
    return this.#changed(definition.name);
  }

  /**
   * Merges as JSON Merge Patch does (RFC 7396): what is absent stays, null removes. A target of another type is another one.
   *
   * What others change meanwhile is kept.
   *
   * @throws stream.invalid, and request.conflict when another stream would come of it, without a place to begin, or when
   * others change it all the time
   */
  async change(name: string, changes: StreamDocument, from?: StreamStart): Promise<StreamView> {
    return this.#become(name, (before) => merged(before, changes), from);
  }

  /** Fields that are absent stay as they are, the others are as given. @throws as {@link change} */
  async replace(name: string, fields: StreamDocument): Promise<StreamView> {
    return this.#become(name, (before) => ({ ...before, ...fields }));
  }

  /** Nothing new is delivered once the batch in flight has come to its end; the place stays. */
  async suspend(name: string, reason: string | null = null): Promise<StreamView> {
    return this.#setState(name, 'suspended', reason);
  }

  /** As {@link suspend}, but what somebody has made of the stream since it was read goes on. @returns whether it did */
  async suspendUnchanged({ id, name, version }: StoredStream, reason: string): Promise<boolean> {
    const isSuspended = await this.parts.store.setState(id, 'suspended', reason, version);
    if (isSuspended) this.parts.signals.publish(streamsTopic, name);
    return isSuspended;
  }

  async resume(name: string): Promise<StreamView> {
    return this.#setState(name, 'running', null);
  }

  /**
   * Every consumer goes on from there; what was delivered may be delivered again.
   *
   * @throws request.conflict when others change it all the time
   */
  async reset(name: string, from: StreamStart): Promise<StreamView> {
    return this.#write(name, async (id, { definition, version }) => {
      const source = await this.parts.openSource(definition);
      return this.parts.store.reset(id, version, await source.begin(from));
    });
  }

  async delete(name: string): Promise<void> {
    const { id } = await this.#get(name);
    await this.parts.store.delete(id);
    this.parts.signals.publish(streamsTopic, name);
  }

  async deadLetters(name: string, limit: number): Promise<StreamDeadLetter[]> {
    return this.parts.store.deadLetters((await this.#get(name)).id, limit);
  }

  /**
   * Delivers the batch once more, beside the others; it stays a dead letter unless it is accepted.
   *
   * @throws whatever the target says
   */
  async retryDeadLetter(name: string, id: string): Promise<void> {
    const stream = await this.#get(name);
    const letter = await this.#deadLetter(stream, id);
    const target = this.parts.createTarget((await this.parts.store.definition(stream.id)).definition);
    const batch: StreamBatch = {
      id: letter.batch,
      number: 0,
      stream: name,
      // They were stored as what they are.
      events: letter.events as readonly StreamEvent[],
    };
    try {
      await target.deliver(batch, AbortSignal.timeout(retryPatienceMs));
    } finally {
      await target.close?.();
    }
    await this.parts.store.dropDeadLetter(id);
  }

  async dropDeadLetter(name: string, id: string): Promise<void> {
    await this.#deadLetter(await this.#get(name), id);
    await this.parts.store.dropDeadLetter(id);
  }

  async #deadLetter(stream: StoredStream, id: string): Promise<StreamDeadLetter> {
    const letter = await this.parts.store.findDeadLetter(stream.id, id);
    if (letter) return letter;
    throw new PatchbayError('stream.notFound', { detail: `${stream.name} has no dead letter ${id}.` });
  }

  async #get(name: string): Promise<StoredStream> {
    const stream = await this.parts.store.find(name);
    if (stream) return stream;
    throw new PatchbayError('stream.notFound', { detail: `There is no event stream called ${name}.` });
  }

  async #become(
    name: string,
    documentOf: (before: StreamDocument) => StreamDocument,
    from?: StreamStart,
  ): Promise<StreamView> {
    return this.#write(name, async (id, before) => {
      const change = await this.#prepare(name, before, documentOf(before.document), from);
      return this.parts.store.change(id, before.version, change);
    });
  }

  /** @param write – tells whether it was still the stream that it was given */
  async #write(name: string, write: (id: string, before: OpenedStream) => Promise<boolean>): Promise<StreamView> {
    return untilWritten(name, async () => {
      const { id } = await this.#get(name);
      const isWritten = await write(id, await this.parts.store.definition(id));
      return isWritten && (await this.#changed(name));
    });
  }

  async #prepare(
    name: string,
    before: OpenedStream,
    document: StreamDocument,
    from: StreamStart | undefined,
  ): Promise<{ readonly document: StreamDocument; readonly cursor: string | undefined }> {
    const { definition } = parseStream(document);
    const touched = selectingFields.filter(
      (field) => JSON.stringify(before.document[field]) !== JSON.stringify(document[field]),
    );
    if (touched.length > 0 && from === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: `A change of ${touched.join(', ')} makes another stream of ${name}; its place would mean nothing.`,
        fix: 'Add reset: { from: … } to say where it begins, or create a stream beside it.',
      });
    }
    const source = await this.#check(definition);
    return { document, cursor: from === undefined ? undefined : await source.begin(from) };
  }

  async #setState(name: string, state: StoredStream['state'], reason: string | null): Promise<StreamView> {
    const { id } = await this.#get(name);
    await this.parts.store.setState(id, state, reason);
    return this.#changed(name);
  }

  async #changed(name: string): Promise<StreamView> {
    this.parts.signals.publish(streamsTopic, name);
    return viewOf(await this.#get(name));
  }

  async #check(definition: StreamDefinition): Promise<StreamSource> {
    const source = await this.parts.openSource(definition);
    await source.check();
    if (definition.target.type !== 'websocket') {
      const target = this.parts.createTarget(definition);
      try {
        await target.check?.();
      } finally {
        await target.close?.();
      }
    }
    return source;
  }

  /** Null where it cannot be told: an overview must not wait for a node that does not answer. */
  async #lags(id: string): Promise<(cursor: string) => Promise<Lag | null>> {
    try {
      const source = await this.parts.openSource((await this.parts.store.definition(id)).definition);
      return (cursor) => lagOf(source, cursor);
    } catch {
      return () => Promise.resolve(null);
    }
  }
}

/** Null when that cannot be told soon. */
export async function lagOf(source: StreamSource, cursor: string): Promise<Lag | null> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), lagPatienceMs);
  });
  try {
    return (await Promise.race([source.lag(cursor).catch(() => null), patience])) ?? null;
  } finally {
    clearTimeout(timer);
  }
}

/** Consumers that have a place of their own begin when they come. */
async function beginningOf(
  { target }: StreamDefinition,
  source: StreamSource,
  from: StreamStart,
): Promise<string | undefined> {
  return target.type === 'websocket' && target.mode === 'broadcast' ? undefined : source.begin(from);
}

/** `***` stands for the secret that is kept, as it is shown. */
function merged(before: StreamDocument, changes: StreamDocument): StreamDocument {
  const { target, ...others } = changes;
  if (target === undefined) return patched(before, changes);
  const known = before['target'];
  const isSame = isRecord(target) && isRecord(known) && (target['type'] ?? known['type']) === known['type'];
  const kept = isSame ? patched(known, keepSecrets(target, known) as StreamDocument) : target;
  return { ...patched(before, others), target: kept };
}

/** RFC 7396. */
function patched(before: StreamDocument, patch: StreamDocument): StreamDocument {
  const fields = new Map(Object.entries(before));
  for (const [key, value] of Object.entries(patch)) {
    const known = fields.get(key);
    if (value === null) fields.delete(key);
    else fields.set(key, isRecord(value) ? patched(isRecord(known) ? known : {}, value) : value);
  }
  return Object.fromEntries(fields);
}

function isRecord(value: unknown): value is StreamDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keepSecrets(value: unknown, before: unknown): unknown {
  if (value === '***' && typeof before === 'string') return before;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const known = (typeof before === 'object' && before !== null ? before : {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, keepSecrets(item, known[key])]));
}

function viewOf({ document, version: _, ...stream }: StoredStream): StreamView {
  return { ...stream, definition: document };
}

function blockOf(cursor: string | null): number | null {
  const match = /^(\d{12})(?::0x|$)/.exec(cursor ?? '');
  return match ? Number(match[1]) : null;
}
