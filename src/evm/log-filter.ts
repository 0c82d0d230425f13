import { keccak256 } from './keccak.js';

/** Addresses and topics are lower case. */
export interface LogFilter {
  /** Undefined: every contract. */
  readonly addresses: readonly string[] | undefined;
  /** By place: one of these, or null for any. */
  readonly topics: readonly (readonly string[] | null)[];
}

export function matches(
  filter: LogFilter,
  log: { readonly address: string; readonly topics: readonly string[] },
): boolean {
  if (filter.addresses && !filter.addresses.includes(log.address)) return false;
  return filter.topics.every((wanted, place) => wanted === null || wanted.includes(log.topics[place] ?? ''));
}

/** The narrowest filter that finds whatever one of these would find. */
export function mergeFilters(filters: readonly LogFilter[]): LogFilter {
  const [first] = filters;
  if (first && filters.length === 1) return first;
  const places = Math.min(...filters.map((filter) => filter.topics.length));
  return {
    addresses: filters.some((filter) => !filter.addresses)
      ? undefined
      : [...new Set(filters.flatMap((filter) => filter.addresses ?? []))].sort(),
    topics: Array.from({ length: places }, (_, place) =>
      filters.some((filter) => filter.topics[place] === null)
        ? null
        : [...new Set(filters.flatMap((filter) => filter.topics[place] ?? []))].sort(),
    ),
  };
}

/**
 * Whether a block with this bloom can contain a match. False is a proof; true is a hint, and also the answer when the
 * chain does not fill in its blooms.
 */
export function mayContain(bloom: string, filter: LogFilter): boolean {
  if (bloom.length !== 514) return true;
  const hasAny = (values: readonly string[]): boolean => values.some((value) => hasBits(bloom, value));
  if (filter.addresses && !hasAny(filter.addresses)) return false;
  return filter.topics.every((wanted) => wanted === null || hasAny(wanted));
}

function hasBits(bloom: string, value: string): boolean {
  return bitsOf(value).every((bit) => {
    // The bloom is one big-endian number of 2048 bits: four of them per hexadecimal digit.
    const digit = parseInt(bloom.charAt(513 - (bit >> 2)), 16);
    return ((digit >> (bit & 3)) & 1) === 1;
  });
}

const knownBits = new Map<string, readonly number[]>();
const maxKnownBits = 10_000;

function bitsOf(value: string): readonly number[] {
  const known = knownBits.get(value);
  if (known) return known;
  const hash = keccak256(Buffer.from(value.slice(2), 'hex'));
  const bits = [0, 1, 2].map((pair) => parseInt(hash.slice(2 + pair * 4, 6 + pair * 4), 16) & 2047);
  if (knownBits.size >= maxKnownBits) knownBits.clear();
  knownBits.set(value, bits);
  return bits;
}
