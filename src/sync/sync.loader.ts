import { describeIssues, loadFlow, parseYaml, type CompiledFlow, type FlowUse, type LoadOptions } from '#engine';
import type { Fault } from '#sdk';
import { compileSync, type CompiledFile, type CompiledSync } from './compile.js';
import { syncSchema } from './sync.schema.js';

export interface LoadedSync {
  /** Undefined when there are faults. */
  readonly sync: CompiledSync | undefined;
  /** The flows that it stands for. */
  readonly flows: readonly CompiledFlow[];
  readonly faults: readonly Fault[];
  /** Risks that the document takes; no reason to refuse it. */
  readonly warnings: readonly Fault[];
}

/** Comments before the first key are read so far. */
const mostRead = 64 * 1024;

/** Whether a file is a sync rather than a flow: its first key says so. */
export function isSyncDocument(text: string): boolean {
  for (const line of text.slice(0, mostRead).split('\n')) {
    if (/^\s*(#|---|$)/.test(line)) continue;
    return /^\s*["']?sync["']?\s*:/.test(line);
  }
  return false;
}

/** Reads, checks and compiles a sync. Every fault is reported at once, each with its place and remedy. */
export function loadSync(text: string, options: LoadOptions): LoadedSync {
  const document = parseYaml(text, options.file);
  if (document.faults.length > 0) return { sync: undefined, flows: [], faults: document.faults, warnings: [] };
  const read = syncSchema.safeParse(document.data);
  if (!read.success) {
    const faults = describeIssues(read.error.issues, syncSchema, document.data, 'key').map(
      ({ path, on, rule, detail, fix }) => document.faultAt(path, { rule, detail, fix }, on === 'key' ? { on } : {}),
    );
    return { sync: undefined, flows: [], faults, warnings: [] };
  }
  const sync = compileSync(read.data);
  const flows: CompiledFlow[] = [];
  const faults = new Map<string, Fault>();
  const warnings = new Map<string, Fault>();
  for (const { document: flow, hears } of sync.flows) {
    const loaded = loadFlow(flow, options);
    if (loaded.flow !== undefined) flows.push(loaded.flow);
    for (const fault of [...loaded.faults, ...loaded.warnings]) {
      const { rule = 'bad-value', detail, fix, severity } = fault;
      const found = document.faultAt(placeOf(fault.pointer, hears), { rule, detail, fix });
      const all = severity === 'warning' ? warnings : faults;
      all.set(`${found.pointer} ${detail}`, { ...found, ...(severity && { severity }) });
    }
  }
  const told = { faults: [...faults.values()], warnings: [...warnings.values()] };
  return faults.size === 0 ? { sync, flows, ...told } : { sync: undefined, flows: [], ...told };
}

/** What the other sides are asked about a sync before it is taken. */
export function usesOfSync(text: string, file?: string): readonly FlowUse[] {
  const document = parseYaml(text, file);
  const read = syncSchema.safeParse(document.data);
  if (!read.success) return [];
  const { name, connection, uses, mapping, identity } = compileSync(read.data);
  return [
    {
      uses,
      connection,
      input: { sync: name, identity, mapping },
      faultAt: (pointer, fault) =>
        document.faultAt(
          pointer
            .split('/')
            .slice(2)
            .map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
          fault,
        ),
    },
  ];
}

const ofTrigger: Readonly<Record<string, readonly string[]>> = {
  cron: ['check', 'cron'],
  timezone: ['check', 'timezone'],
};

/** Where in the sync a fault of one of its flows was written. */
function placeOf(pointer: string, hears: CompiledFile['hears']): (string | number)[] {
  const parts = pointer
    .replace(/^#\//, '')
    .split('/')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const [line, second, third, ...rest] = parts;
  if (line === 'trigger' && second === 'connection') {
    return hears === 'chain' ? ['chain', 'network'] : ['salesforce', 'connection'];
  }
  if (line === 'trigger' && second === 'with' && typeof third === 'string') {
    return [...(ofTrigger[third] ?? [hears === 'salesforce' ? 'salesforce' : 'chain', third])];
  }
  if (third === 'connection') return ['salesforce', 'connection'];
  const [input, ...below] = rest;
  return third === 'with' && input === 'mapping' ? below : [];
}
