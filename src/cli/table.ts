import { widthOf, type Paint } from './paint.js';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly isNumber?: boolean;
  /** On a narrow terminal the column with the highest number is left out first; without one it always stays. */
  readonly drop?: number;
  /** May be cut to what is left of the line. */
  readonly canShrink?: boolean;
}

const gap = '  ';
const narrowest = 12;

/** A table for people: it fits the terminal, by leaving out columns before it cuts any. Without a width everything is shown. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, paint }: { readonly width: number | undefined; readonly paint: Paint },
): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.text(row))));
  const measured = columns.map((column, index) => ({
    column,
    index,
    width: Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[index] ?? ''))),
  }));
  const shown = fit(measured, width);
  const header = shown.map((one) => pad(one.column.title.toUpperCase(), one)).join(gap);
  const lines = cells.map((line) =>
    shown
      .map((one) => pad(cut(line[one.index] ?? '', one.width), one))
      .join(gap)
      .trimEnd(),
  );
  return [paint('dim', header.trimEnd()), ...lines].join('\n');
}

interface Measured<Row> {
  readonly column: Column<Row>;
  readonly index: number;
  readonly width: number;
}

function fit<Row>(measured: readonly Measured<Row>[], width: number | undefined): readonly Measured<Row>[] {
  if (width === undefined) return measured;
  let shown = measured;
  for (;;) {
    const excess = total(shown) - width;
    if (excess <= 0) return shown;
    const shrunk = shrink(shown, excess);
    if (total(shrunk) <= width) return shrunk;
    const last = shown.reduce((most, { column }) => Math.max(most, column.drop ?? 0), 0);
    if (last === 0) return shrunk;
    shown = shown.filter(({ column }) => column.drop !== last);
  }
}

function shrink<Row>(shown: readonly Measured<Row>[], excess: number): readonly Measured<Row>[] {
  let left = excess;
  return shown.map((one) => {
    if (one.column.canShrink !== true || left <= 0) return one;
    const width = Math.max(Math.min(narrowest, one.width), one.width - left);
    left -= one.width - width;
    return { ...one, width };
  });
}

function total(shown: readonly Measured<unknown>[] | readonly { readonly width: number }[]): number {
  return shown.reduce((sum, one) => sum + one.width, 0) + gap.length * (shown.length - 1);
}

function pad(
  text: string,
  { column, width }: { readonly column: { readonly isNumber?: boolean }; readonly width: number },
) {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return column.isNumber === true ? space + text : text + space;
}

function cut(text: string, width: number): string {
  return widthOf(text) <= width ? text : `${[...text].slice(0, Math.max(0, width - 1)).join('')}…`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
