import { isRecord, type Path } from './path.js';

export interface Difference {
  readonly path: Path;
  readonly expected: unknown;
  readonly received: unknown;
}

/** Where two pieces of plain data differ, leaf by leaf. What is undefined counts as absent. */
export function findDifferences(expected: unknown, received: unknown, path: Path = []): readonly Difference[] {
  if (Object.is(expected, received)) return [];
  if (Array.isArray(expected) && Array.isArray(received)) {
    return Array.from({ length: Math.max(expected.length, received.length) }).flatMap((_, index) =>
      findDifferences(expected[index], received[index], [...path, index]),
    );
  }
  if (isRecord(expected) && isRecord(received)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(received)]);
    return [...keys].flatMap((key) =>
      findDifferences(ownValue(expected, key), ownValue(received, key), [...path, key]),
    );
  }
  return [{ path, expected, received }];
}

function ownValue(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
