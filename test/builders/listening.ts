import { type Heard, type Incident, type ListenContext, type Logger, type PatchbayError } from '#sdk';
import { silentLog } from './action-call.js';

interface Listenable<Input, Client, Event> {
  readonly input: { parse(written: unknown): Input };
  readonly event: { parse(event: unknown): Event };
  listen?(context: ListenContext<Input, Client, Event>): Promise<void>;
}

export interface ListeningOptions<Client> {
  readonly client: Client;
  readonly with: Readonly<Record<string, unknown>>;
  /** Where it begins. */
  readonly cursor?: string | undefined;
  /** What was heard before, for a trigger that begins again. */
  readonly before?: readonly Heard[];
  readonly log?: Logger;
}

export interface Listening<Event> {
  /** Each event once, by its id, in the order of its first coming. */
  readonly heard: readonly Heard<Event>[];
  readonly incidents: readonly Incident[];
  /** Ids that came more than once. */
  readonly repeats: number;
  readonly cursor: string | undefined;
  readonly error: PatchbayError | undefined;
  stop(): Promise<void>;
}

/** Listens as the hub does: keeps what is emitted, each id once, and the place. Inputs and events are checked. */
export function startListening<Input, Client, Event>(
  trigger: Listenable<Input, Client, Event>,
  { client, with: written, cursor, before = [], log = silentLog }: ListeningOptions<Client>,
): Listening<Event> {
  const stop = new AbortController();
  const heard: Heard<Event>[] = [];
  const incidents: Incident[] = [];
  // Whoever passes what was heard before passes what the same trigger emitted.
  const memory = [...before] as Heard<Event>[];
  const known = new Set(memory.map(({ id }) => id));
  const kept = { cursor, error: undefined as PatchbayError | undefined, repeats: 0 };
  const done = trigger.listen?.({
    input: trigger.input.parse(written),
    client,
    cursor,
    signal: stop.signal,
    log,
    use: () => {
      throw new Error('not used');
    },
    retract: () => Promise.resolve(),
    recall: (subjects) =>
      Promise.resolve(new Map(memory.filter(isAbout(subjects)).map((one) => [one.subject ?? '', one]))),
    report: (incident) => Promise.resolve(void incidents.push(incident)),
    emit(emitted, options) {
      stop.signal.throwIfAborted();
      const all: readonly Heard<Event>[] = Array.isArray(emitted)
        ? (emitted as Heard<Event>[])
        : [emitted as Heard<Event>];
      for (const one of all) {
        trigger.event.parse(one.event);
        if (known.has(one.id)) kept.repeats += 1;
        else {
          known.add(one.id);
          memory.push(one);
          heard.push(one);
        }
      }
      kept.cursor = options?.cursor ?? heard.at(-1)?.id ?? kept.cursor;
      return Promise.resolve();
    },
  });
  const ended = Promise.resolve(done).catch((error: PatchbayError) => (kept.error = error));
  return {
    heard,
    incidents,
    get repeats() {
      return kept.repeats;
    },
    get cursor() {
      return kept.cursor;
    },
    get error() {
      return kept.error;
    },
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

function isAbout(subjects: readonly string[]): (heard: Heard) => boolean {
  return ({ subject }) => subject !== undefined && subjects.includes(subject);
}
