export type Path = readonly (string | number)[];

/** Names that reach the prototype of an object; refused wherever an author chooses a name. */
export const forbiddenNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** `a.b.0.[odd name]` as its segments; undefined when the text is no path. */
export function parsePath(text: string): readonly string[] | undefined {
  const segments: string[] = [];
  const pattern = /(?:\[([^\]]+)\]|([^.[\]\s]+))(?:\.|$)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) return undefined;
    segments.push(match[1] ?? match[2] ?? '');
  }
  if (segments.length === 0 || text.endsWith('.')) return undefined;
  return segments;
}

/** Follows own properties only; undefined when there is nothing. */
export function lookUp(value: unknown, segments: readonly string[]): unknown {
  let found = value;
  for (const segment of segments) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, segment)) return undefined;
    found = (found as Record<string, unknown>)[segment];
  }
  return found;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
