import type { NewItem } from '../items.store.js';
import type { FieldValues, Offer, Option, Validity } from '../offer.js';

export interface WatchContext {
  readonly fields: FieldValues;
  /** Where an earlier watch left off; undefined: begin now. */
  readonly cursor: string | undefined;
  readonly signal: AbortSignal;
  /** When it has returned, the items and the place are kept. */
  deliver(items: readonly NewItem[], cursor: string): Promise<void>;
  /** What stands at this position or after it has vanished from the chain. */
  retract(position: string, cursor: string): Promise<void>;
}

/** A trigger that the hub offers without any flow: it watches for each identity by itself. */
export interface BuiltInTrigger {
  readonly offer: Offer;
  /** Of a field whose choices the hub knows. */
  options(field: string): Promise<readonly Option[]>;
  /** Of every field that has something to say; a field that is not named is fine. */
  validate(values: FieldValues): Promise<Readonly<Record<string, Validity>>>;
  /** Field values that work here, for the tests of IFTTT; undefined where there are none. */
  sample(): Promise<Readonly<Record<string, string>> | undefined>;
  /** By field, what it refuses; for the tests of IFTTT. */
  readonly invalidSample: Readonly<Record<string, string>>;
  /** Resolves when `signal` is aborted. */
  watch(context: WatchContext): Promise<void>;
}

export const fine: Validity = { valid: true };

export function refused(message: string): Validity {
  return { valid: false, message };
}
