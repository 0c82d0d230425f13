import { describe, expect, it } from '@jest/globals';
import { createPaint } from './paint.js';
import { renderTable, type Column } from './table.js';

interface Row {
  readonly id: string;
  readonly count: number;
  readonly text: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'id', text: (row) => row.id },
  { title: 'count', text: (row) => String(row.count), isNumber: true, drop: 1 },
  { title: 'text', text: (row) => row.text, canShrink: true },
];
const rows: readonly Row[] = [
  { id: 'a-1', count: 7, text: 'short' },
  { id: 'b-22', count: 1_000, text: 'a text that is\n  much too long for one line' },
];
const plain = createPaint(false);

describe('a table', () => {
  it('given no terminal, when it is rendered, then everything is shown, one line per row', () => {
    expect(renderTable(columns, rows, { width: undefined, paint: plain })).toBe(
      ['ID    COUNT  TEXT', 'a-1       7  short', 'b-22   1000  a text that is much too long for one line'].join('\n'),
    );
  });

  it('given a narrow terminal, when it is rendered, then long texts are cut to the line', () => {
    const lines = renderTable(columns, rows, { width: 30, paint: plain }).split('\n');

    expect(lines[2]).toBe('b-22   1000  a text that is m…');
    expect(lines.every((line) => line.length <= 30)).toBe(true);
  });

  it('given a very narrow terminal, when it is rendered, then columns that may go are gone', () => {
    const table = renderTable(columns, rows, { width: 20, paint: plain });

    expect(table).not.toContain('COUNT');
    expect(table.split('\n').every((line) => line.length <= 20)).toBe(true);
  });

  it('given colours, when it is rendered, then they take no room', () => {
    const painted = renderTable(
      [{ title: 'state', text: (row: Row) => createPaint(true)('green', row.id) }, ...columns.slice(2)],
      rows,
      { width: undefined, paint: plain },
    );

    expect(painted.split('\n')[1]).toBe(`${createPaint(true)('green', 'a-1')}    short`);
  });
});
