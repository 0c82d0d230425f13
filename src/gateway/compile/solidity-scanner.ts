export interface SourceMention {
  readonly text: string;
  /** Where it begins, in characters of the source. */
  readonly offset: number;
}

export interface ScannedSource {
  /** Paths as the source writes them. */
  readonly imports: readonly SourceMention[];
  /** What stands behind `pragma solidity`. */
  readonly pragmas: readonly SourceMention[];
  /** Names of contracts, abstract contracts, interfaces and libraries. */
  readonly contracts: readonly string[];
}

/**
 * What a source says at its outermost level, without the compiler: enough to find its imports and to choose a
 * compiler. Comments and texts are told apart from code; what is broken is left for the compiler to complain about.
 */
export function scanSolidity(source: string): ScannedSource {
  const imports: SourceMention[] = [];
  const pragmas: SourceMention[] = [];
  const contracts: string[] = [];
  const tokens = tokensOf(source);
  let depth = 0;
  for (let token = tokens.next(); !token.done; token = tokens.next()) {
    const { text } = token.value;
    if (text === '{') depth += 1;
    else if (text === '}') depth -= 1;
    else if (depth === 0 && text === 'import')
      imports.push(...statement(tokens).filter(isQuoted).slice(-1).map(unquote));
    else if (depth === 0 && text === 'pragma') pragmas.push(...pragmaOf(source, statement(tokens)));
    else if (depth === 0 && (text === 'contract' || text === 'interface' || text === 'library')) {
      const name = tokens.next();
      if (!name.done) contracts.push(name.value.text);
    }
  }
  return { imports, pragmas, contracts };
}

/** Line and column, both from 1, of a place in a text. */
export function placeOf(source: string, offset: number): { readonly line: number; readonly column: number } {
  const before = source.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

type Tokens = Generator<SourceMention, undefined>;

/** Comments, quoted texts, words, and every other character alone. A text or comment without end goes on to the end. */
const tokenPattern =
  /\/\/[^\n\r]*|\/\*[^]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[A-Za-z_$][\w$]*|[^\s]/g;

function* tokensOf(source: string): Tokens {
  for (const match of source.matchAll(tokenPattern)) {
    const text = match[0];
    if (!text.startsWith('//') && !text.startsWith('/*')) yield { text, offset: match.index };
  }
}

function statement(tokens: Tokens): SourceMention[] {
  const found: SourceMention[] = [];
  for (let token = tokens.next(); !token.done && token.value.text !== ';'; token = tokens.next())
    found.push(token.value);
  return found;
}

function isQuoted({ text }: SourceMention): boolean {
  return text.startsWith('"') || text.startsWith("'");
}

function unquote({ text, offset }: SourceMention): SourceMention {
  return { text: text.replace(/^["']|["']$/g, ''), offset };
}

function pragmaOf(source: string, words: readonly SourceMention[]): SourceMention[] {
  const [subject, first] = words;
  const last = words.at(-1);
  if (subject?.text !== 'solidity' || !first || !last) return [];
  return [{ text: source.slice(first.offset, last.offset + last.text.length), offset: first.offset }];
}
