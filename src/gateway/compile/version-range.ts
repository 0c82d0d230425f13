/** Half-open: `[from, to)`, each as one number. */
interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Any of the intervals. */
export type VersionRange = readonly Interval[];

const beyond = Number.MAX_SAFE_INTEGER;
const maxLength = 200;

/**
 * The ranges that pragmas use: exact and partial versions, `^ ~ >= <= > < =`, ranges with a hyphen, several
 * comparators at once, alternatives with `||`.
 *
 * @returns undefined when the text is no such range
 */
export function parseRange(text: string): VersionRange | undefined {
  if (text.length > maxLength) return undefined;
  // Quotes around a version are legal in a pragma.
  const alternatives = text.replaceAll(/["']/g, '').split('||').map(parseAlternative);
  return alternatives.every((alternative) => alternative !== undefined) ? alternatives : undefined;
}

export function isInRange(version: string, range: VersionRange): boolean {
  const number = toNumber(version.split('.').map(Number));
  return range.some(({ from, to }) => from <= number && number < to);
}

/** The lowest version that a range names, as something to install; undefined when it has no lower bound. */
export function lowestOf(range: VersionRange): string | undefined {
  const lowest = Math.min(...range.map(({ from }) => from));
  if (lowest === 0) return undefined;
  return [Math.floor(lowest / 1e6), Math.floor(lowest / 1e3) % 1e3, lowest % 1e3].join('.');
}

/** Newest first. */
export function byVersion(one: string, other: string): number {
  return toNumber(other.split('.').map(Number)) - toNumber(one.split('.').map(Number));
}

const comparator =
  /\s*(\^|~|>=|<=|>|<|=)?\s*v?(\d{1,3}|[xX*])(?:\.(\d{1,3}|[xX*]))?(?:\.(\d{1,3}|[xX*]))?(?:[+][\w.]*)?(?=[\s^~<>=]|$)/y;

function parseAlternative(text: string): Interval | undefined {
  const hyphen = /^\s*(\S+)\s+-\s+(\S+)\s*$/.exec(text);
  const words = hyphen ? `>=${hyphen[1]!} <=${hyphen[2]!}` : text.trim();
  if (words === '') return undefined;
  let [from, to] = [0, beyond];
  comparator.lastIndex = 0;
  while (comparator.lastIndex < words.length) {
    const match = comparator.exec(words);
    if (!match) return undefined;
    const interval = intervalOf(
      match[1] ?? '=',
      match.slice(2).filter((part) => part !== undefined && /\d/.test(part)),
    );
    from = Math.max(from, interval.from);
    to = Math.min(to, interval.to);
  }
  return { from, to };
}

function intervalOf(operator: string, texts: readonly (string | undefined)[]): Interval {
  const parts = texts.map(Number);
  const low = toNumber(parts);
  const high = after(parts, parts.length - 1);
  switch (operator) {
    case '^':
      // The first part that is not zero may not change.
      return {
        from: low,
        to: after(
          parts,
          Math.max(
            0,
            Math.min(
              parts.findIndex((part) => part > 0),
              parts.length - 1,
            ),
          ),
        ),
      };
    case '~':
      return { from: low, to: after(parts, Math.min(1, parts.length - 1)) };
    case '>=':
      return { from: low, to: beyond };
    case '>':
      return { from: high, to: beyond };
    case '<':
      return { from: 0, to: low };
    case '<=':
      return { from: 0, to: high };
    default:
      return { from: low, to: high };
  }
}

/** The first version that differs from the given one at this part. */
function after(parts: readonly number[], index: number): number {
  if (index < 0) return beyond;
  return toNumber([...parts.slice(0, index), (parts[index] ?? 0) + 1]);
}

function toNumber(parts: readonly number[]): number {
  return (parts[0] ?? 0) * 1e6 + (parts[1] ?? 0) * 1e3 + (parts[2] ?? 0);
}
