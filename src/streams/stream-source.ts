import type { Retraction } from '#sdk';
import type { StreamEvent } from './stream.js';
import type { StreamStart } from './stream.schema.js';

/** An event where it stands in its source. */
export interface PlacedEvent {
  readonly event: StreamEvent;
  /** Sorts as text in the order of the source. */
  readonly position: string;
  /** What a reorganisation would take with it. */
  readonly place: string;
  /** It may still vanish. */
  readonly isYoung: boolean;
}

/** What was read in one go. */
export interface Portion {
  /** How many more it may give; events that no condition lets through are counted too. */
  readonly left: number;
  /** In order. What takes time happens here, when an event is asked for. Undefined: there are no more. */
  next(): PlacedEvent | undefined;
  /** The place after these. */
  readonly cursor: string;
  /** Whether everything can be read again from this place alone, also after a reorganisation. */
  readonly isSafe: boolean;
  /** Position of the oldest event that may still vanish: all younger ones are remembered. Empty: none can. */
  readonly tracedFrom: string;
}

export interface StreamRetraction extends Retraction {
  /** False: what was taken back begins there or later; what lies before it is only heard again. */
  readonly isExact: boolean;
}

export interface ReadOptions {
  readonly cursor: string;
  readonly signal: AbortSignal;
  /** Is awaited before more is read. */
  deliver(portion: Portion): Promise<void>;
  retract(retraction: StreamRetraction): Promise<void>;
}

/** One ordered list of events that goes on for ever. */
export interface StreamSource {
  /** What it gives never vanishes. */
  readonly isFinal: boolean;
  /** Looks up what the definition names. @throws stream.invalid, evm.unknownContract, evm.unknownFunction, evm.arguments */
  check(): Promise<void>;
  /** The cursor to begin with. */
  begin(from: StreamStart): Promise<string>;
  /** Positions before the cursor are less than this, those after it are not. */
  floorOf(cursor: string): string;
  /** What is found to be missing at this cursor is gone for good once a cursor is here. */
  finalAt(cursor: string): string;
  /** How far the cursor is behind; undefined where that cannot be told. */
  lag(cursor: string): Promise<Lag | undefined>;
  /** Resolves when `signal` is aborted. */
  read(options: ReadOptions): Promise<void>;
}

/** What is known of the distance between a place and the end of the source. */
export interface Lag {
  readonly blocks: number;
  readonly seconds: number;
}
