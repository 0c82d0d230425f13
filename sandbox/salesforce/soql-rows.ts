import type { Condition, Soql, SoqlLiteral } from './soql.js';

export type Row = Readonly<Record<string, unknown>>;

/** Names of the fields that a condition looks at. */
export function conditionFields(condition: Condition | undefined): string[] {
  if (condition === undefined) return [];
  if (condition.kind === 'compare') return [condition.field];
  if (condition.kind === 'not') return conditionFields(condition.part);
  return condition.parts.flatMap(conditionFields);
}

export function matches(condition: Condition | undefined, row: Row): boolean {
  if (condition === undefined) return true;
  if (condition.kind === 'and') return condition.parts.every((part) => matches(part, row));
  if (condition.kind === 'or') return condition.parts.some((part) => matches(part, row));
  if (condition.kind === 'not') return !matches(condition.part, row);
  const value = valueOf(row, condition.field);
  if (condition.operator === 'IN') return condition.values.some((literal) => compares('=', value, literal));
  return condition.values.every((literal) => compares(condition.operator, value, literal));
}

export function sortRows(rows: readonly Row[], orderBy: Soql['orderBy']): Row[] {
  return [...rows].sort((left, right) => {
    for (const { field, isDescending, nullsLast } of orderBy) {
      const [a, b] = [valueOf(left, field), valueOf(right, field)];
      if (a === b) continue;
      if (a === null || b === null) return (a === null) === nullsLast ? 1 : -1;
      const order = comparable(a) < comparable(b) ? -1 : comparable(a) > comparable(b) ? 1 : 0;
      if (order !== 0) return isDescending ? -order : order;
    }
    return 0;
  });
}

/** A field's value whatever the letter case of its name; null when it is not set. */
export function valueOf(row: Row, field: string): unknown {
  const direct = row[field];
  if (direct !== undefined) return direct;
  const name = Object.keys(row).find((key) => key.toLowerCase() === field.toLowerCase());
  return name === undefined ? null : (row[name] ?? null);
}

function compares(operator: string, value: unknown, literal: SoqlLiteral): boolean {
  if (literal.kind === 'null') return operator === '=' ? value === null : operator === '!=' && value !== null;
  if (value === null) return operator === '!=';
  if (operator === 'LIKE') return like(String(value), literal.kind === 'text' ? literal.value : '');
  const [a, b] =
    literal.kind === 'time' ? times(String(value), literal.value) : [comparable(value), comparable(literal.value)];
  if (operator === '=') return a === b;
  if (operator === '!=') return a !== b;
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  if (operator === '>') return a > b;
  return a >= b;
}

// Text is compared without regard to letter case, as Salesforce does by default.
function comparable(value: unknown): string | number {
  if (typeof value === 'number') return value;
  return String(value).toLowerCase();
}

function times(value: string, literal: string): [number, number] {
  const isDate = literal.length === 10;
  return [Date.parse(isDate ? value.slice(0, 10) : value), Date.parse(literal)];
}

function like(value: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/%/g, '.*')
    .replace(/_/g, '.');
  return new RegExp(`^${source}$`, 'is').test(value);
}
