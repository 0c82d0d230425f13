import { styleText } from 'node:util';
import type { Fault } from '#sdk';

/** What a command prints with; texts are whole lines. */
export interface CommandIo {
  out(text: string): void;
  err(text: string): void;
  readonly cwd: string;
  readonly isTerminal: boolean;
}

export type FaultFormat = 'text' | 'github';

/** `file:line:col  code  text`, the source line with a caret under the place, and the remedy. */
export function faultText(
  fault: Fault,
  source: string | undefined,
  { isTerminal }: Pick<CommandIo, 'isTerminal'>,
): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    isTerminal ? styleText(style, text, { validateStream: false }) : text;
  const rule = fault.rule ?? 'fault';
  const named = fault.severity === 'warning' ? paint('yellow', `warning ${rule}`) : paint('red', rule);
  const line = fault.line ?? 1;
  const column = fault.column ?? 1;
  const head = `${paint('bold', `${fault.file ?? '-'}:${line}:${column}`)}  ${named}  ${fault.detail}`;
  const written = source?.split(/\r?\n/)[line - 1];
  const rows = [head];
  if (written !== undefined) rows.push(...excerpt(written, line, column).map((row) => paint('dim', row)));
  if (fault.fix !== undefined) rows.push(`    ${paint('green', 'fix')}  ${fault.fix}`);
  return rows.join('\n');
}

const maxWidth = 100;

/** Control characters could rewrite the terminal, and a tab is as wide as the caret line makes it. */
function excerpt(written: string, line: number, column: number): readonly string[] {
  const from = Math.max(0, column - 1 - maxWidth / 2);
  const shown = written.slice(from, from + maxWidth).replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  const number = String(line);
  return [`  ${number} | ${shown}`, `  ${' '.repeat(number.length)} | ${' '.repeat(column - 1 - from)}^`];
}

/** An annotation of a GitHub workflow. */
export function faultAnnotation(fault: Fault): string {
  const text = [fault.detail, fault.fix].filter((part) => part !== undefined).join(' ');
  const place = `file=${escapeProperty(fault.file ?? '')},line=${fault.line ?? 1},col=${fault.column ?? 1},title=${escapeProperty(fault.rule ?? 'fault')}`;
  return `::${fault.severity ?? 'error'} ${place}::${escapeData(text)}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
