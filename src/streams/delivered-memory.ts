import type { Judgement } from './stream-buffer.js';
import type { Position, TracedEvent } from './positions.store.js';
import type { PlacedEvent } from './stream-source.js';

/**
 * What was delivered and may be heard once more: after a restart what lies between the cursor and the place reached, after a
 * reorganisation what was taken back. Everything else is new.
 */
export class DeliveredMemory {
  readonly #traced = new Map<string, TracedEvent>();
  /** Heard since the restart; of what is not heard again the chain has changed meanwhile. */
  readonly #expected = new Set<string>();
  readonly #removed = new Set<string>();
  /** What lies before it was passed, and is in the chain as it was. */
  #passedBefore = '';
  readonly #delivered: string | null;
  readonly #tracedFrom: string;

  constructor(position: Pick<Position, 'delivered' | 'tracedFrom'>, traced: readonly TracedEvent[]) {
    this.#delivered = position.delivered;
    this.#tracedFrom = position.tracedFrom;
    for (const event of traced) {
      this.#traced.set(event.id, event);
      (event.isRemoved ? this.#removed : this.#expected).add(event.id);
    }
  }

  judge({ event, position, place }: PlacedEvent): Judgement {
    const known = this.#traced.size === 0 ? undefined : this.#traced.get(event.id);
    if (known) {
      this.#expected.delete(event.id);
      return known.isRemoved || known.place !== place ? 'again' : 'done';
    }
    if (position < this.#passedBefore) return 'done';
    const wasPassed = this.#delivered !== null && position <= this.#delivered;
    // Of what is traced the trace decides: a block that was passed may have been replaced by another one.
    return wasPassed && (this.#tracedFrom === '' || position < this.#tracedFrom) ? 'done' : 'new';
  }

  get hasRemoved(): boolean {
    return this.#removed.size > 0;
  }

  /** These were taken back, and may be heard again. */
  remove(events: readonly TracedEvent[]): void {
    for (const event of events) {
      this.#traced.set(event.id, { ...event, isRemoved: true });
      this.#removed.add(event.id);
      this.#expected.delete(event.id);
    }
  }

  /** It is all heard again from some place on, and nothing before this position has changed. */
  pass(position: string): void {
    if (position > this.#passedBefore) this.#passedBefore = position;
  }

  /** From this position on it has changed. */
  reopen(position: string): void {
    if (position < this.#passedBefore) this.#passedBefore = position;
  }

  /** These are in the chain again, and noted there. */
  renew(events: readonly PlacedEvent[]): void {
    this.forget(events.map(({ event }) => event.id));
  }

  /** These are gone for good. */
  forget(ids: readonly string[]): void {
    for (const id of ids) {
      this.#traced.delete(id);
      this.#removed.delete(id);
    }
  }

  /** What should have been heard again before this position, and was not. */
  takeMissing(floor: string): TracedEvent[] {
    const missing: TracedEvent[] = [];
    for (const id of this.#expected) {
      const event = this.#traced.get(id);
      if (event === undefined || event.position >= floor) continue;
      this.#expected.delete(id);
      missing.push(event);
    }
    return missing;
  }
}
