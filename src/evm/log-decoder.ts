import { argumentNames, topicOf, type AbiFragment } from './abi.js';
import { compileReader, headSize, startReading, type Reader } from './abi-reader.js';
import { isHashed } from './abi-type.js';
import { word } from './abi-values.js';

export interface DecodedLog {
  /** By name. Integers are decimal text, addresses and bytes lower-case hex, an indexed dynamic value `{hash}`. */
  readonly args: Readonly<Record<string, unknown>>;
  /** What could not be decoded, and why; its argument is then null. */
  readonly decodeError?: string;
  /** The log as the chain has it, when an argument is missing or its text had to be altered. */
  readonly raw?: { readonly topics: readonly string[]; readonly data: string };
}

export interface LogDecoder {
  readonly topic: string;
  /** Topics that a log of the event has; another event may have the same signature with other arguments indexed. */
  readonly topicCount: number;
  readonly event: AbiFragment;
  /** Never throws: on-chain data is written by strangers, and one bad log must not stop a block. */
  decode(log: { readonly topics: readonly string[]; readonly data: string }): DecodedLog;
}

interface Slot {
  readonly name: string;
  readonly read: Reader;
  /** Index of the topic, or -1 when it lies in the data. */
  readonly topic: number;
  readonly offset: number;
}

const decoders = new WeakMap<AbiFragment, LogDecoder>();

/** Builds the decoder of one event once; what remains for each log is slicing. */
export function compileLogDecoder(event: AbiFragment): LogDecoder {
  let decoder = decoders.get(event);
  if (!decoder) {
    decoder = build(event);
    decoders.set(event, decoder);
  }
  return decoder;
}

function build(event: AbiFragment): LogDecoder {
  const inputs = event.inputs ?? [];
  const names = argumentNames(inputs);
  const slots: Slot[] = [];
  let topic = event.anonymous ? 0 : 1;
  let offset = 0;
  for (const [index, input] of inputs.entries()) {
    const name = names[index]!;
    if (input.indexed) {
      slots.push({ name, read: isHashed(input) ? readHash : compileReader(input), topic: topic++, offset: 0 });
    } else {
      slots.push({ name, read: compileReader(input), topic: -1, offset });
      offset += headSize(input);
    }
  }
  return { topic: topicOf(event), topicCount: topic, event, decode: (log) => decode(slots, log) };
}

function decode(
  slots: readonly Slot[],
  log: { readonly topics: readonly string[]; readonly data: string },
): DecodedLog {
  const args: Record<string, unknown> = {};
  const data = log.data.slice(2);
  const reading = startReading(data);
  let decodeError: string | undefined;
  for (const slot of slots) {
    try {
      args[slot.name] =
        slot.topic < 0
          ? slot.read(data, 0, slot.offset, reading)
          : slot.read((log.topics[slot.topic] ?? '0x').slice(2), 0, 0, reading);
    } catch (error) {
      args[slot.name] = null;
      const reason = `${slot.name}: ${error instanceof Error ? error.message : String(error)}`;
      decodeError = decodeError === undefined ? reason : `${decodeError}; ${reason}`;
    }
  }
  if (decodeError === undefined && !reading.isAltered) return { args };
  const raw = { topics: log.topics, data: log.data };
  return decodeError === undefined ? { args, raw } : { args, raw, decodeError };
}

const readHash: Reader = (hex) => {
  if (hex.length !== word) throw new RangeError('the topic is missing');
  return { hash: `0x${hex.toLowerCase()}` };
};
