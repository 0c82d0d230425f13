/** A key at the top level of a TOML document, and where it lies. */
export interface TomlKey {
  readonly name: string;
  readonly at: number;
  readonly valueAt: number;
  /** Of a text value: the offset of each of its characters, and of its end. */
  readonly offsets: readonly number[] | undefined;
}

/**
 * Finds the places that a parser does not tell. The document is valid already, so that only what separates keys from values
 * has to be known. What stands below a table's header belongs to the table; the header itself is a key.
 */
export function findTomlKeys(text: string): readonly TomlKey[] {
  const keys: TomlKey[] = [];
  let isTopLevel = true;
  let at = 0;
  while (at < text.length) {
    at = skipSpace(text, at);
    if (at >= text.length) break;
    if (text[at] === '[') {
      const header = /^\[+\s*(?:"([^"\n]*)"|'([^'\n]*)'|([\w-]+))/.exec(text.slice(at, at + 200));
      const name = header?.[1] ?? header?.[2] ?? header?.[3];
      if (name !== undefined) keys.push({ name, at, valueAt: at, offsets: undefined });
      isTopLevel = false;
      at = endOfLine(text, at);
      continue;
    }
    const key = /^(?:"([^"\n]*)"|'([^'\n]*)'|([\w-]+))(?:[ \t]*\.[ \t]*[^=\n]*)?[ \t]*=[ \t]*/.exec(
      text.slice(at, at + 400),
    );
    if (!key) {
      at = endOfLine(text, at);
      continue;
    }
    const valueAt = at + key[0].length;
    const value = readValue(text, valueAt);
    if (isTopLevel) {
      keys.push({ name: key[1] ?? key[2] ?? key[3]!, at, valueAt, offsets: value.offsets });
    }
    at = value.end;
  }
  return keys;
}

interface Scanned {
  readonly end: number;
  readonly offsets?: readonly number[];
}

function readValue(text: string, at: number): Scanned {
  const quote = text[at];
  if (quote === '"' || quote === "'") return readString(text, at, quote);
  if (quote !== '[' && quote !== '{') return { end: endOfLine(text, at) };
  let depth = 0;
  for (let index = at; index < text.length;) {
    const letter = text[index]!;
    if (letter === '"' || letter === "'") {
      index = readString(text, index, letter).end;
      continue;
    }
    if (letter === '#') {
      index = endOfLine(text, index);
      continue;
    }
    if (letter === '[' || letter === '{') depth++;
    if (letter === ']' || letter === '}') depth--;
    index++;
    if (depth === 0) return { end: index };
  }
  return { end: text.length };
}

function readString(text: string, at: number, quote: string): Scanned {
  const isLong = text.startsWith(quote.repeat(3), at);
  const closing = isLong ? quote.repeat(3) : quote;
  let index = at + closing.length;
  // A line break right after the opening of a long text does not belong to it.
  if (isLong) index += /^\r?\n/.exec(text.slice(index, index + 2))?.[0].length ?? 0;
  const offsets: number[] = [];
  while (index < text.length) {
    if (text.startsWith(closing, index)) {
      // Up to two quotes may stand right before the closing ones.
      while (isLong && text[index + 3] === quote) offsets.push(index++);
      offsets.push(index);
      return { end: index + closing.length, offsets };
    }
    if (quote === '"' && text[index] === '\\') {
      index = readEscape(text, index, offsets);
      continue;
    }
    offsets.push(index++);
  }
  return { end: text.length, offsets };
}

/** Notes where the characters lie that an escape stands for: one, two for an emoji, none for a continued line. */
function readEscape(text: string, at: number, offsets: number[]): number {
  const continued = /^\\[ \t]*\r?\n\s*/.exec(text.slice(at));
  if (continued) return at + continued[0].length;
  const [, digits] = /^\\(?:u([0-9a-fA-F]{4})|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)/s.exec(text.slice(at, at + 10)) ?? [];
  const length = digits !== undefined ? 6 : text[at + 1] === 'U' ? 10 : text[at + 1] === 'x' ? 4 : 2;
  offsets.push(at);
  if (length === 10 && parseInt(text.slice(at + 2, at + 10), 16) > 0xffff) offsets.push(at);
  return at + length;
}

function skipSpace(text: string, at: number): number {
  let index = at;
  while (index < text.length) {
    if (text[index] === '#') index = endOfLine(text, index);
    else if (/\s/.test(text[index]!)) index++;
    else break;
  }
  return index;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}
