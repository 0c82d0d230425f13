import { RestError } from './rest-error.js';

export type SoqlLiteral =
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'time'; readonly value: string }
  | { readonly kind: 'null' };

export type Condition =
  | { readonly kind: 'and'; readonly parts: readonly Condition[] }
  | { readonly kind: 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | {
      readonly kind: 'compare';
      readonly field: string;
      readonly operator: string;
      readonly values: readonly SoqlLiteral[];
    };

export interface Soql {
  readonly fields: readonly string[];
  readonly isCount: boolean;
  readonly object: string;
  readonly where: Condition | undefined;
  readonly orderBy: readonly { readonly field: string; readonly isDescending: boolean; readonly nullsLast: boolean }[];
  readonly limit: number | undefined;
  readonly offset: number;
}

const token =
  /\s*(?:('(?:[^'\\]|\\.)*')|(\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)|(-?\d+(?:\.\d+)?(?![\w]))|([A-Za-z_][\w.]*(?::\d+)?)|(<=|>=|!=|<>|[=<>(),*]))/y;

const conditions = new Map<string, Condition>();

/** Reads the part of SOQL that one object needs: no relationships, no aggregates but `COUNT()`. */
export function parseSoql(text: string): Soql {
  return new Parser(tokenize(text), text).statement();
}

/** Reads a condition as it stands after `WHERE`. */
export function parseCondition(text: string): Condition {
  const known = conditions.get(text);
  if (known !== undefined) return known;
  const condition = new Parser(tokenize(text), text).condition();
  conditions.set(text, condition);
  return condition;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (text.slice(token.lastIndex).trim() !== '') {
    const start = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw malformed(`unexpected token: '${text.slice(start).trim().charAt(0)}'`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

class Parser {
  #at = 0;

  constructor(
    readonly tokens: readonly string[],
    readonly text: string,
  ) {}

  statement(): Soql {
    this.#expect('SELECT');
    const { fields, isCount } = this.#fields();
    this.#expect('FROM');
    const object = this.#name();
    const where = this.#accept('WHERE') ? this.#or() : undefined;
    const orderBy = this.#accept('ORDER') ? this.#orderBy() : [];
    const limit = this.#accept('LIMIT') ? Number(this.#next()) : undefined;
    const offset = this.#accept('OFFSET') ? Number(this.#next()) : 0;
    if (this.#peek() !== undefined) throw malformed(`unexpected token: '${this.#peek()}'`);
    return { fields, isCount, object, where, orderBy, limit, offset };
  }

  condition(): Condition {
    const condition = this.#or();
    if (this.#peek() !== undefined) throw malformed(`unexpected token: '${this.#peek()}'`);
    return condition;
  }

  #fields(): { fields: string[]; isCount: boolean } {
    if (this.#peek()?.toUpperCase() === 'COUNT' && this.tokens[this.#at + 1] === '(') {
      this.#at += 2;
      this.#expect(')');
      return { fields: [], isCount: true };
    }
    const fields = [this.#selected()];
    while (this.#accept(',')) fields.push(this.#selected());
    return { fields, isCount: false };
  }

  #selected(): string {
    const name = this.#name();
    if (name.toUpperCase() !== 'FIELDS' || !this.#accept('(')) return name;
    const set = this.#name().toUpperCase();
    this.#expect(')');
    return `FIELDS(${set})`;
  }

  #or(): Condition {
    const parts = [this.#and()];
    while (this.#accept('OR')) parts.push(this.#and());
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
  }

  #and(): Condition {
    const parts = [this.#unary()];
    while (this.#accept('AND')) parts.push(this.#unary());
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
  }

  #unary(): Condition {
    if (this.#accept('NOT')) return { kind: 'not', part: this.#unary() };
    if (this.#accept('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const field = this.#name();
    if (this.#accept('NOT')) {
      this.#expect('IN');
      return { kind: 'not', part: { kind: 'compare', field, operator: 'IN', values: this.#list() } };
    }
    const operator = this.#next().toUpperCase();
    if (operator === 'IN') return { kind: 'compare', field, operator, values: this.#list() };
    if (!['=', '!=', '<>', '<', '<=', '>', '>=', 'LIKE'].includes(operator)) {
      throw malformed(`unexpected token: '${operator}'`);
    }
    return { kind: 'compare', field, operator: operator === '<>' ? '!=' : operator, values: [this.#literal()] };
  }

  #list(): SoqlLiteral[] {
    this.#expect('(');
    const values = [this.#literal()];
    while (this.#accept(',')) values.push(this.#literal());
    this.#expect(')');
    return values;
  }

  #literal(): SoqlLiteral {
    const text = this.#next();
    if (text.startsWith("'")) return { kind: 'text', value: unescape(text.slice(1, -1)) };
    if (/^\d{4}-\d\d-\d\d/.test(text)) return { kind: 'time', value: text };
    if (/^-?\d/.test(text)) return { kind: 'number', value: Number(text) };
    const word = text.toUpperCase();
    if (word === 'NULL') return { kind: 'null' };
    if (word === 'TRUE' || word === 'FALSE') return { kind: 'boolean', value: word === 'TRUE' };
    const daysAgo = { TODAY: 0, YESTERDAY: 1, TOMORROW: -1 }[word];
    if (daysAgo !== undefined) {
      return { kind: 'time', value: new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10) };
    }
    throw malformed(`unexpected token: '${text}'`);
  }

  #orderBy(): Soql['orderBy'] {
    this.#expect('BY');
    const order: { field: string; isDescending: boolean; nullsLast: boolean }[] = [];
    do {
      const field = this.#name();
      const isDescending = this.#accept('DESC');
      if (!isDescending) this.#accept('ASC');
      const nullsLast = this.#accept('NULLS') && this.#next().toUpperCase() === 'LAST';
      order.push({ field, isDescending, nullsLast });
    } while (this.#accept(','));
    return order;
  }

  #peek(): string | undefined {
    return this.tokens[this.#at];
  }

  #next(): string {
    const next = this.tokens[this.#at++];
    if (next === undefined) throw malformed('unexpected end of query');
    return next;
  }

  #name(): string {
    const name = this.#next();
    if (!/^[A-Za-z_]/.test(name)) throw malformed(`unexpected token: '${name}'`);
    return name;
  }

  #accept(word: string): boolean {
    if (this.#peek()?.toUpperCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #expect(word: string): void {
    const found = this.#next();
    if (found.toUpperCase() !== word) throw malformed(`unexpected token: '${found}', expecting '${word}'`);
  }
}

function unescape(text: string): string {
  const letters: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
  return text.replace(/\\(.)/g, (_, letter: string) => letters[letter] ?? letter);
}

function malformed(message: string): RestError {
  return new RestError(400, 'MALFORMED_QUERY', message);
}
