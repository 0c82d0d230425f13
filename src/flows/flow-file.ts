import { loadFlow, usesOf, type CompiledFlow, type FlowUse, type LoadOptions } from '#engine';
import type { Fault } from '#sdk';
import { isSyncDocument, loadSync, usesOfSync, type CompiledSync } from '#sync';

/** What a file of the flow folder holds: a flow, or a sync and the flows that it stands for. */
export interface FlowFile {
  /** Empty when there are faults. */
  readonly flows: readonly CompiledFlow[];
  readonly sync: CompiledSync | undefined;
  readonly faults: readonly Fault[];
  /** Risks that it takes; no reason to refuse it. */
  readonly warnings: readonly Fault[];
}

export function loadFlowFile(document: string, options: LoadOptions): FlowFile {
  if (!isSyncDocument(document)) {
    const { flow, faults, warnings } = loadFlow(document, options);
    return { flows: flow === undefined ? [] : [flow], sync: undefined, faults, warnings };
  }
  const { sync, flows, faults, warnings } = loadSync(document, options);
  return { flows: sync === undefined ? [] : flows, sync, faults, warnings };
}

export function movesValue(flows: readonly CompiledFlow[]): boolean {
  return flows.some((flow) => flow.movesValue);
}

/** What the other sides can be asked about the file. */
export function usesOfFile(document: string, file?: string): readonly FlowUse[] {
  return isSyncDocument(document) ? usesOfSync(document, file) : usesOf(document, file);
}

/** Of a file whose text nobody knows. */
export function cannotRead(file: string, error: unknown): Fault {
  return {
    pointer: '',
    file,
    line: 1,
    column: 1,
    rule: 'unreadable',
    detail: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    fix: 'Look at the rights of the file, and at where it leads if it is a link.',
  };
}
