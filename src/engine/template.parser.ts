import Handlebars from 'handlebars';
import { suggest } from '#sdk';
import { forbiddenNames } from './path.js';
import { findHelper, templateHelpers, type TemplateHelper } from './template.helpers.js';

/** One `{{…}}`, or a part of it, after everything that templates may not do was refused. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'path'; readonly path: readonly string[] }
  | { readonly kind: 'call'; readonly helper: TemplateHelper; readonly args: readonly (Expression | undefined)[] };

export interface TemplateProblem {
  readonly rule: 'bad-template' | 'template-too-large' | 'unknown-helper' | 'helper-arguments' | 'unknown-reference';
  readonly detail: string;
  readonly fix?: string;
  /** Characters into the template. */
  readonly offset: number;
}

export interface Reference {
  readonly path: readonly string[];
  readonly offset: number;
}

export interface InspectedTemplate {
  readonly parts: readonly (string | Expression)[];
  readonly references: readonly Reference[];
  readonly problems: readonly TemplateProblem[];
}

export const scopeNames = ['event', 'steps', 'run', 'flow', 'env', 'item', 'index'] as const;

const maxTemplate = 64 * 1024;
const maxDepth = 32;
const maxExpressions = 1_000;
const maxWords = 1_000;

/** Handlebars only parses: its compiler turns templates into JavaScript, ours into a few closures over own properties. */
export function inspectTemplate(text: string): InspectedTemplate {
  if (text.length > maxTemplate)
    return failed({ rule: 'template-too-large', detail: 'The template is longer than 64 kB.', offset: 0 });
  const complexity = complexityProblem(text);
  if (complexity) return failed(complexity);
  try {
    const program = Handlebars.parse(text);
    return new Inspector(text).inspect(program);
  } catch (error) {
    return failed(syntaxProblem(text, error));
  }
}

/**
 * The time Handlebars takes to parse grows with the square of the number of expressions and faster with their nesting
 * (9,000 parentheses take minutes), so both are counted before it sees the text.
 */
function complexityProblem(text: string): TemplateProblem | undefined {
  const [, ...pieces] = text.split('{{');
  const problem = (detail: string): TemplateProblem => ({
    rule: 'bad-template',
    detail,
    fix: 'Split it into several values.',
    offset: text.indexOf('{{'),
  });
  if (pieces.length > maxExpressions) return problem('The template has more than 1,000 expressions.');
  for (const piece of pieces) {
    const end = piece.indexOf('}}');
    const expression = end < 0 ? piece : piece.slice(0, end);
    if (expression.startsWith('!')) continue;
    if (expression.split('(').length - 1 > maxDepth) return problem('An expression has more than 32 parentheses.');
    if (expression.split(/[\s./]/).length > maxWords) return problem('An expression has more than 1,000 words.');
  }
  return undefined;
}

function failed(problem: TemplateProblem): InspectedTemplate {
  return { parts: [], references: [], problems: [problem] };
}

function syntaxProblem(text: string, error: unknown): TemplateProblem {
  const message = error instanceof Error ? error.message : String(error);
  const line = Number(/on line (\d+)/.exec(message)?.[1] ?? 1);
  const opened = text
    .split('\n')
    .slice(0, line - 1)
    .join('\n').length;
  return {
    rule: 'bad-template',
    detail: 'The template cannot be read.',
    fix: 'Write {{path}} or {{helper argument …}}; text in a template is quoted with single quotes, and every {{ needs its }}.',
    offset: Math.max(text.indexOf('{{', line > 1 ? opened : 0), 0),
  };
}

class Inspector {
  readonly #references: Reference[] = [];
  readonly #problems: TemplateProblem[] = [];
  readonly #lineStarts: number[];

  constructor(readonly text: string) {
    this.#lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  }

  inspect(program: hbs.AST.Program): InspectedTemplate {
    const parts = program.body.flatMap((statement) => this.#statement(statement));
    return { parts, references: this.#references, problems: this.#problems };
  }

  #statement(statement: hbs.AST.Statement): (string | Expression)[] {
    switch (statement.type) {
      case 'CommentStatement':
        return [];
      case 'ContentStatement': {
        const { value } = statement as hbs.AST.ContentStatement;
        return value === '' ? [] : [value];
      }
      case 'MustacheStatement': {
        const expression = this.#call(statement as hbs.AST.MustacheStatement, 0);
        return expression ? [expression] : [];
      }
      default:
        return this.#refuse(
          statement,
          'bad-template',
          'Templates compute text; blocks, partials and decorators are not allowed.',
          {
            fix: 'Use a condition (where:) or a second flow instead.',
            result: [],
          },
        );
    }
  }

  #call(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression, depth: number): Expression | undefined {
    if (depth > maxDepth) return this.#refuse(node, 'bad-template', 'The template is nested too deeply.');
    const hasArguments = node.params.length > 0 || node.hash !== undefined;
    if (node.path.type !== 'PathExpression') {
      return hasArguments
        ? this.#refuse(node, 'bad-template', 'A helper is called by its name.')
        : this.#expression(node.path, depth);
    }
    const path = node.path as hbs.AST.PathExpression;
    const name = path.original;
    const helper = path.parts.length === 1 && !path.data && path.depth === 0 ? findHelper(name) : undefined;
    if (helper) return this.#helperCall(node, helper, depth);
    if (!hasArguments && node.type === 'MustacheStatement') return this.#path(path);
    return this.#refuse(path, 'unknown-helper', `There is no helper ${name}.`, { fix: suggest(name, helperNames) });
  }

  #helperCall(
    node: hbs.AST.MustacheStatement | hbs.AST.SubExpression,
    helper: TemplateHelper,
    depth: number,
  ): Expression | undefined {
    const args = node.params.map((param) => this.#expression(param, depth + 1));
    const named = new Map<number, Expression | undefined>();
    for (const pair of node.hash?.pairs ?? []) {
      const index = helper.parameters.findIndex((parameter) => parameter.replace('?', '') === pair.key);
      if (index < args.length || named.has(index)) {
        return this.#refuse(pair, 'helper-arguments', `The helper ${helper.name} has no open parameter ${pair.key}.`, {
          fix: usage(helper),
        });
      }
      named.set(index, this.#expression(pair.value, depth + 1));
    }
    const count = Math.max(args.length, ...[...named.keys()].map((index) => index + 1));
    const all = Array.from({ length: count }, (_, index) => (index < args.length ? args[index] : named.get(index)));
    const isMissing = Array.from({ length: helper.arity.min }).some(
      (_, index) => index >= args.length && !named.has(index),
    );
    if (isMissing || count > helper.arity.max) {
      return this.#refuse(
        node,
        'helper-arguments',
        `The helper ${helper.name} was given the wrong number of arguments.`,
        {
          fix: usage(helper),
        },
      );
    }
    return { kind: 'call', helper, args: all };
  }

  #expression(node: hbs.AST.Expression, depth: number): Expression | undefined {
    switch (node.type) {
      case 'SubExpression':
        return this.#call(node as hbs.AST.SubExpression, depth);
      case 'PathExpression':
        return this.#path(node as hbs.AST.PathExpression);
      case 'StringLiteral':
      case 'BooleanLiteral':
        return { kind: 'literal', value: (node as hbs.AST.StringLiteral | hbs.AST.BooleanLiteral).value };
      case 'NumberLiteral': {
        const { value } = node as hbs.AST.NumberLiteral;
        const { start, end } = node.loc;
        // A number that a double cannot hold stays the text it was written as.
        return {
          kind: 'literal',
          value: Number.isSafeInteger(value) ? value : this.text.slice(this.#offset(start), this.#offset(end)),
        };
      }
      case 'NullLiteral':
        return { kind: 'literal', value: null };
      default:
        return this.#refuse(
          node,
          'bad-template',
          'Only paths, texts, numbers, true, false and null can be written here.',
        );
    }
  }

  #path(node: hbs.AST.PathExpression): Expression | undefined {
    const parts: readonly string[] = node.parts;
    if (
      node.data ||
      node.depth > 0 ||
      parts.length === 0 ||
      /^(this|\.)/.test(node.original) ||
      parts.some((part) => typeof part !== 'string')
    ) {
      return this.#refuse(node, 'bad-template', `${node.original} is not a path.`, {
        fix: `Begin with one of ${scopeNames.join(', ')}.`,
      });
    }
    if (parts.some((part) => forbiddenNames.has(part))) {
      return this.#refuse(node, 'bad-template', `The path ${node.original} reaches for a prototype.`, {
        fix: 'Refer to data only.',
      });
    }
    const [root = ''] = parts;
    if (!(scopeNames as readonly string[]).includes(root)) {
      return this.#refuse(node, 'unknown-reference', `There is nothing called ${root}.`, {
        fix: suggest(root, scopeNames),
      });
    }
    this.#references.push({ path: parts, offset: this.#offset(node.loc.start) });
    return { kind: 'path', path: parts };
  }

  #refuse<Result = undefined>(
    node: hbs.AST.Node,
    rule: TemplateProblem['rule'],
    detail: string,
    { fix, result }: { readonly fix?: string | undefined; readonly result?: Result } = {},
  ): Result {
    this.#problems.push({ rule, detail, offset: this.#offset(node.loc.start), ...(fix === undefined ? {} : { fix }) });
    return result as Result;
  }

  #offset({ line, column }: hbs.AST.Position): number {
    return (this.#lineStarts[line - 1] ?? 0) + column;
  }
}

const helperNames = templateHelpers.map((helper) => helper.name);

function usage(helper: TemplateHelper): string {
  return `Write {{${helper.name} ${helper.parameters.join(' ')}}}, e.g. ${helper.example.template}.`;
}
