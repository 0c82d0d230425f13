/**
 * A place in the stream of one org; ids of another org mean nothing. Until the first event is heard there is no id to
 * stand on, so the place is a time by the clock of the org: what happened since is new.
 */
export type StreamPlace =
  | {
      readonly orgId: string;
      readonly replayId: number;
      /** What was committed before this time of the org was heard. */
      readonly safe: number;
      readonly from?: number | undefined;
    }
  | {
      readonly orgId: string;
      readonly since: number;
      /** When listening began for the first time: what is older is not wanted. */
      readonly from?: number | undefined;
    };

/** Channels keep events for three days at most; a place that does not tell its time is no older than that matters. */
const longestKeptMs = 72 * 3_600_000;

/** What was heard for certain: everything that was committed before it. */
export function safeTimeOf(place: StreamPlace): number {
  return 'since' in place ? place.since : place.safe;
}

/** As the cursor of a trigger that listens to one channel. */
export function formatPlace(place: StreamPlace): string {
  const from = place.from === undefined ? '' : `/${place.from}`;
  return 'since' in place
    ? `${place.orgId}@${place.since}${from}`
    : `${place.orgId}:${place.replayId}@${place.safe}${from}`;
}

export function parsePlace(cursor: string | undefined): StreamPlace | undefined {
  const [, orgId, id, time, begun] = /^(\w+)(?::(\d+))?(?:@(\d+))?(?:\/(\d+))?$/.exec(cursor ?? '') ?? [];
  if (orgId === undefined) return undefined;
  const from = begun === undefined ? {} : { from: Number(begun) };
  if (id === undefined) return time === undefined ? undefined : { orgId, since: Number(time), ...from };
  return { orgId, replayId: Number(id), safe: time === undefined ? Date.now() - longestKeptMs : Number(time), ...from };
}

/** The places of a trigger that listens to several channels, one cursor for all. */
export class StreamPlaces {
  readonly #places: Map<string, StreamPlace>;

  constructor(cursor: string | undefined) {
    const entries = (cursor ?? '').split(' ').map((entry) => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), parsePlace(entry.slice(at + 1))] as const;
    });
    this.#places = new Map(entries.flatMap(([channel, place]) => (place === undefined ? [] : [[channel, place]])));
  }

  get(channel: string): StreamPlace | undefined {
    return this.#places.get(channel);
  }

  set(channel: string, place: StreamPlace): void {
    this.#places.set(channel, place);
  }

  format(): string {
    return [...this.#places].map(([channel, place]) => `${channel}=${formatPlace(place)}`).join(' ');
  }
}
