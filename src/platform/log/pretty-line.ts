const colours: Readonly<Record<string, string>> = { debug: '90', info: '32', warn: '33', error: '31' };

interface Entry extends Record<string, unknown> {
  readonly level?: string;
  readonly time?: string;
  readonly message?: string;
}

/** A JSON entry as a line for people: time, level, sentence, fields; what an error carries on lines of its own. */
export function prettyLine(json: string): string {
  const { level = '', time = '', message = '', ...fields } = JSON.parse(json) as Entry;
  const { error, ...plain } = fields;
  const shown = Object.entries(plain).map(([name, value]) => dim(`${name}=`) + printed(value));
  const head = [dim(time.slice(11, 19)), colour(level.padEnd(5), colours[level]), message, ...shown].join(' ');
  return `${head}${error === undefined ? '' : indented(error)}\n`;
}

function printed(value: unknown): string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : JSON.stringify(value);
}

function indented(error: unknown): string {
  if (typeof error !== 'object' || error === null) return `\n    ${String(error)}`;
  const { code, name, message, fix, stack, cause } = error as Readonly<Record<string, unknown>>;
  const lines = [`${String(code ?? name ?? 'error')}: ${String(message)}`];
  if (fix !== undefined) lines.push(`fix: ${String(fix)}`);
  if (typeof stack === 'string') lines.push(...stack.split('\n').filter((line) => line.trimStart().startsWith('at ')));
  // Terminals obey control characters, and messages may quote what a stranger sent.
  const text = lines.map((line) => `\n    ${line.trim().replace(/[\x00-\x1f\x7f-\x9f]/g, '?')}`).join('');
  return cause === undefined ? text : `${text}${indented(cause)}`;
}

function colour(text: string, code = '0'): string {
  return `\x1b[${code}m${text}\x1b[0m`;
}

function dim(text: string): string {
  return colour(text, '90');
}
