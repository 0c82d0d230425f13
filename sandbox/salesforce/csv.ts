import { RestError } from './rest-error.js';

export const delimiters: Readonly<Record<string, string>> = {
  COMMA: ',',
  SEMICOLON: ';',
  TAB: '\t',
  PIPE: '|',
  BACKQUOTE: '`',
  CARET: '^',
};

/** Rows of cells; quotes may enclose separators, line ends and doubled quotes. */
export function readCsv(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endRow = () => {
    row.push(cell);
    cell = '';
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (text.charAt(at + 1) === '"') cell += text.charAt((at += 1));
      else isQuoted = false;
    } else if (letter === '"' && cell === '') isQuoted = true;
    else if (letter === delimiter) {
      row.push(cell);
      cell = '';
    } else if (letter === '\n') endRow();
    else if (letter !== '\r') cell += letter;
  }
  if (isQuoted) throw new RestError(400, 'INVALIDBATCH', 'A quoted value is not closed');
  if (cell !== '' || row.length > 0) endRow();
  return rows;
}

export function writeCsv(rows: readonly (readonly unknown[])[], delimiter: string): string {
  const quoted = (value: unknown) =>
    `"${value === null || value === undefined ? '' : String(value).replace(/"/g, '""')}"`;
  return rows.map((row) => `${row.map(quoted).join(delimiter)}\n`).join('');
}
