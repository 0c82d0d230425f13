/** A text as YAML, on one line. */
export function quoted(text: string): string {
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)
    ? JSON.stringify(text)
    : `'${text.replaceAll("'", "''")}'`;
}

/** A text of several lines as it is, below a key that is indented so far. */
export function block(text: string, indent: number): string {
  const margin = ' '.repeat(indent + 2);
  const lines = dedented(text).map((line) => (line === '' ? '' : margin + line));
  return `|2\n${lines.join('\n')}`;
}

export function commented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '#' : `# ${line}`))
    .join('\n');
}

function dedented(text: string): readonly string[] {
  const lines = text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.trimEnd());
  while (lines[0] === '') lines.shift();
  while (lines.at(-1) === '') lines.pop();
  const margins = lines.filter((line) => line !== '').map((line) => /^ */.exec(line)![0].length);
  const margin = Math.min(...margins);
  return lines.map((line) => line.slice(Math.min(margin, line.length)));
}
