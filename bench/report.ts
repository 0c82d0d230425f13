import { cpus, loadavg, release, type } from 'node:os';

export interface Faults {
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

/** One line of the table. */
export interface Line {
  readonly scenario: string;
  readonly backend: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the hub shall reach, and whether more or less is better. */
  readonly target?: { readonly is: 'at least' | 'under'; readonly value: number };
  /** The same job done by something barer, in the same run. */
  readonly limits?: readonly { readonly name: string; readonly value: number }[];
  readonly faults?: Faults;
  /** Processor time in milliseconds for one event; steadier than the clock on a busy machine. */
  readonly cpuPerEvent?: { readonly hub: number; readonly postgres: number };
  /** Load average of the last minute when it was measured. */
  readonly load: number;
}

export const noFaults: Faults = { lost: 0, doubled: 0, reordered: 0 };

export function addFaults(one: Faults, other: Faults): Faults {
  return {
    lost: one.lost + other.lost,
    doubled: one.doubled + other.doubled,
    reordered: one.reordered + other.reordered,
  };
}

export function hasFaults({ faults }: Line): boolean {
  return faults !== undefined && faults.lost + faults.doubled + faults.reordered > 0;
}

export function isReached({ target, value }: Line): boolean | undefined {
  if (target === undefined) return undefined;
  return target.is === 'under' ? value < target.value : value >= target.value;
}

const columns = [
  'scenario',
  'queue',
  'what',
  'measured',
  'target',
  '',
  'limits in this run',
  'lost/doubled/reordered',
  'CPU ms/event',
  'load',
];

export function tableOf(lines: readonly Line[]): string {
  const rows = [columns, ...lines.map(cellsOf)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const text = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  text.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return text.join('\n');
}

function cellsOf(line: Line): string[] {
  const { target, limits = [], faults, cpuPerEvent } = line;
  const reached = isReached(line);
  return [
    line.scenario,
    line.backend,
    line.what,
    `${short(line.value)} ${line.unit}`,
    target === undefined ? '' : `${target.is} ${short(target.value)}`,
    reached === undefined ? '' : reached ? 'ok' : 'missed',
    limits.map(({ name, value }) => `${name} ${short(value)} (${(line.value / value).toFixed(2)})`).join(', '),
    faults === undefined ? '' : `${faults.lost}/${faults.doubled}/${faults.reordered}`,
    cpuPerEvent === undefined ? '' : `${cpuPerEvent.hub.toFixed(2)} hub, ${cpuPerEvent.postgres.toFixed(2)} db`,
    line.load.toFixed(1),
  ];
}

/** The lines as data, with what one must know to compare them. */
export function reportOf(lines: readonly Line[]): object {
  return {
    measuredAt: new Date().toISOString(),
    machine: { cpus: cpus().length, model: cpus()[0]?.model, system: `${type()} ${release()}`, node: process.version },
    lines: lines.map((line) => ({ ...line, isReached: isReached(line) })),
  };
}

export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

function short(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2);
}
