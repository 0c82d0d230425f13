import { argumentNames, isDynamic, topicOf, type AbiFragment } from './abi.js';
import { compileReader, headSize, word, type Reader, type Reading } from './abi-reader.js';

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
  readonly event: AbiFragment;
  /** Never throws: on-chain data is written by strangers, and one bad log must not stop a block. */
  decode(log: { readonly topics: readonly string[]; readonly data: string }): DecodedLog;
}

/** Elements of lists that one log may have. */
const maxElements = 10_000;

interface Slot {
  readonly name: string;
  readonly read: Reader;
  /** Index of the topic, or -1 when it lies in the data. */
  readonly topic: number;
  readonly offset: number;
}

/** Builds the decoder of one event once; what remains for each log is slicing. */
export function compileLogDecoder(event: AbiFragment): LogDecoder {
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
  return { topic: topicOf(event), event, decode: (log) => decode(slots, log) };
}

function decode(
  slots: readonly Slot[],
  log: { readonly topics: readonly string[]; readonly data: string },
): DecodedLog {
  const args: Record<string, unknown> = {};
  const reading: Reading = { budget: maxElements, isAltered: false };
  const data = log.data.slice(2);
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

/** Of an indexed value longer than one word the chain keeps only the hash. */
function isHashed(input: Parameters<typeof isDynamic>[0]): boolean {
  return isDynamic(input) || input.type.endsWith(']') || input.type === 'tuple';
}

const readHash: Reader = (hex) => {
  if (hex.length !== word) throw new RangeError('the topic is missing');
  return { hash: `0x${hex.toLowerCase()}` };
};
