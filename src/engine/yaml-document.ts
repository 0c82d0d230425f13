import { pointerTo, type Fault } from '#sdk';
import {
  Composer,
  LineCounter,
  Parser,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { forbiddenNames, type Path } from './path.js';

/** Plain data made from YAML, which remembers where each value stood. */
export interface YamlDocument {
  readonly data: unknown;
  readonly faults: readonly Fault[];
  /** A fault at the value under the path, or at its nearest ancestor that was written. */
  faultAt(path: Path, fault: FaultText, spot?: Spot): Fault;
}

export interface FaultText {
  readonly rule: string;
  readonly detail: string;
  readonly fix?: string | undefined;
}

export interface Spot {
  /** At the key rather than at the value. */
  readonly on?: 'key';
  /** Characters into the text of the value. */
  readonly offset?: number;
}

interface Place {
  readonly value: number;
  readonly key: number | undefined;
  /** Where the characters of the text begin; undefined when escapes or folds make offsets unreliable. */
  readonly text: number | undefined;
}

// The cost of reading grows faster than the text (a hostile 600 kB takes many seconds), so length is checked first.
const maxBytes = 64 * 1024;
const maxDepth = 20;
const maxFaults = 100;

/**
 * Reads one plain document: no aliases, anchors, merge keys, tags or directives. Only plain decimal numbers whose text
 * would not change are numbers; all else, such as `0xA0b8…`, `003E00000123456`, `1.10` or 2^64, stays text.
 */
export function parseYaml(text: string, file?: string): YamlDocument {
  const reader = new Reader(text, file);
  reader.read();
  return reader;
}

class Reader implements YamlDocument {
  data: unknown = undefined;
  readonly faults: Fault[] = [];
  readonly #lines = new LineCounter();
  readonly #places = new Map<string, Place>();

  constructor(
    readonly text: string,
    readonly file: string | undefined,
  ) {}

  read(): void {
    if (Buffer.byteLength(this.text) > maxBytes) {
      this.#report(0, [], {
        rule: 'too-large',
        detail: 'The document is larger than 64 kB.',
        fix: 'Split it into several flows.',
      });
      return;
    }
    const root = this.#compose();
    if (root && this.faults.length === 0) this.data = this.#value(root, []);
    this.faults.splice(maxFaults);
  }

  faultAt(path: Path, fault: FaultText, spot: Spot = {}): Fault {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(pointerTo(path.slice(0, length)));
      if (!place) continue;
      const isExact = length === path.length;
      const inText =
        isExact && spot.offset !== undefined && place.text !== undefined ? place.text + spot.offset : undefined;
      const useKey = place.key !== undefined && (spot.on === 'key' || !isExact);
      return this.#fault(useKey ? place.key : (inText ?? place.value), path, fault);
    }
    return this.#fault(0, path, fault);
  }

  #compose(): ParsedNode | undefined {
    const tokens = new Parser(this.#lines.addNewLine).parse(this.text);
    const composer = new Composer({ version: '1.2', schema: 'failsafe', uniqueKeys: false });
    let root: ParsedNode | undefined;
    let count = 0;
    try {
      for (const document of composer.compose(tokens, true, this.text.length)) {
        if (++count > 1) {
          this.#report(document.range[0], [], {
            rule: 'several-documents',
            detail: 'The file holds several documents.',
            fix: 'Keep one flow per file.',
          });
          break;
        }
        for (const error of document.errors) this.#syntaxFault(error.pos[0], error.message);
        if (document.directives?.docStart && /^%/m.test(this.text.slice(0, document.range[0]))) {
          this.#report(0, [], {
            rule: 'yaml-feature',
            detail: 'YAML directives are not allowed.',
            fix: 'Remove the line that begins with %.',
          });
        }
        root = document.contents ?? undefined;
      }
    } catch (error) {
      // The composer calls itself for every level; a document that is nothing but brackets exhausts the stack.
      if (!(error instanceof RangeError)) throw error;
      this.#report(0, [], tooDeep);
    }
    return root;
  }

  #syntaxFault(offset: number, message: string): void {
    const { line } = this.#lines.linePos(offset);
    if (this.faults.length >= maxFaults || this.faults.some((fault) => fault.line === line)) return;
    const start = this.#lines.lineStarts[line - 1] ?? 0;
    const source = this.text.slice(start, this.text.indexOf('\n', start) >>> 0);
    const template = /(?:^|[:\-,[]\s+)(\{\{)/.exec(source);
    if (template) {
      this.#report(start + template.index + template[0].length - 2, [], unquotedTemplate);
      return;
    }
    const [detail = message] = message.split(/ at line|\n/);
    this.#report(offset, [], {
      rule: 'yaml',
      detail: `This is not valid YAML: ${detail}.`,
      fix: 'Check indentation, quotes and brackets.',
    });
  }

  #value(node: ParsedNode | null, path: Path): unknown {
    if (!node) return null;
    if (path.length > maxDepth) return this.#refuse(node, path, tooDeep);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) {
      return this.#refuse(node, path, {
        rule: 'yaml-feature',
        detail: 'YAML aliases are not allowed.',
        fix: 'Write the value out.',
      });
    }
    if (node.anchor !== undefined) {
      return this.#refuse(node, path, {
        rule: 'yaml-feature',
        detail: 'YAML anchors are not allowed.',
        fix: 'Remove the & and its name.',
      });
    }
    if (node.tag !== undefined) {
      return this.#refuse(node, path, {
        rule: 'yaml-feature',
        detail: 'YAML tags are not allowed.',
        fix: 'Remove the ! and its name.',
      });
    }
    this.#keep(path, node);
    if (isScalar(node)) return scalarValue(node);
    if (isSeq(node)) return node.items.map((item, index) => this.#value(item as ParsedNode | null, [...path, index]));
    return this.#mapping(node, path);
  }

  #mapping(map: YAMLMap.Parsed, path: Path): unknown {
    const result: Record<string, unknown> = {};
    const [first] = map.items;
    if (first && map.items.length === 1 && isMap(first.key)) {
      this.faults.push(this.faultAt(path, unquotedTemplate));
      // Read as what was meant, so that the rest of the document can be checked too.
      return this.text.slice(map.range[0], map.range[1]);
    }
    for (const { key, value } of map.items) {
      if (!isScalar(key)) {
        this.#refuse(key, path, { rule: 'yaml', detail: 'A key must be plain text.', fix: 'Quote the key.' });
        continue;
      }
      const name = String(key.value);
      const problem = keyProblem(name, key, result);
      if (problem) {
        this.#refuse(key, [...path, name], problem);
        continue;
      }
      const child = [...path, name];
      result[name] = this.#value(value, child);
      const place = this.#places.get(pointerTo(child));
      this.#places.set(pointerTo(child), { value: place?.value ?? key.range[0], text: place?.text, key: key.range[0] });
    }
    return result;
  }

  #keep(path: Path, node: ParsedNode): void {
    const [start, end] = node.range;
    const source = isScalar(node) && typeof node.value === 'string' ? this.text.slice(start, end) : '';
    const quote = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') ? 1 : 0;
    const isVerbatim = isScalar(node) && source.slice(quote, source.length - quote) === node.value;
    this.#places.set(pointerTo(path), { value: start, key: undefined, text: isVerbatim ? start + quote : undefined });
  }

  #refuse(node: ParsedNode, path: Path, fault: FaultText): undefined {
    this.#report(node.range[0], path, fault);
    return undefined;
  }

  #report(offset: number, path: Path, fault: FaultText): void {
    this.faults.push(this.#fault(offset, path, fault));
  }

  #fault(offset: number, path: Path, { rule, detail, fix }: FaultText): Fault {
    const { line, col } = this.#lines.linePos(offset);
    return {
      pointer: pointerTo(path),
      detail,
      rule,
      // An empty document has no lines to count.
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      ...(fix === undefined ? {} : { fix }),
      ...(this.file === undefined ? {} : { file: this.file }),
    };
  }
}

const tooDeep: FaultText = {
  rule: 'too-deep',
  detail: 'Values are nested more than 20 levels deep.',
  fix: 'Flatten the value.',
};

const unquotedTemplate: FaultText = {
  rule: 'unquoted-template',
  detail: 'Without quotes, YAML reads this template as a mapping.',
  fix: 'Quote the template: "{{…}}".',
};

function keyProblem(name: string, key: Scalar.Parsed, siblings: Record<string, unknown>): FaultText | undefined {
  if (key.anchor !== undefined || key.tag !== undefined) {
    return { rule: 'yaml-feature', detail: 'Anchors and tags are not allowed.', fix: 'Remove them.' };
  }
  if (name === '<<' && key.type === 'PLAIN') {
    return { rule: 'yaml-feature', detail: 'YAML merge keys are not allowed.', fix: 'Write the keys out.' };
  }
  if (forbiddenNames.has(name)) {
    return { rule: 'forbidden-key', detail: `The key ${name} is not allowed.`, fix: 'Choose another name.' };
  }
  if (Object.hasOwn(siblings, name)) {
    return { rule: 'duplicate-key', detail: `The key ${name} is there twice.`, fix: 'Remove one of them.' };
  }
  return undefined;
}

function scalarValue(scalar: Scalar.Parsed): unknown {
  const text = String(scalar.value ?? '');
  if (scalar.type !== 'PLAIN') return text;
  if (text === '' || text === 'null' || text === '~') return null;
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (!/^-?\d{1,17}(\.\d{1,17})?$/.test(text)) return text;
  const number = Number(text);
  const isExact = String(number) === text && (!Number.isInteger(number) || Number.isSafeInteger(number));
  return isExact ? number : text;
}
