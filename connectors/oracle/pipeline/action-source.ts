import type { Fault } from '#sdk';
import type { Graph } from './graph.js';
import { loadPipeline, type LoadedPipeline } from './load.js';

/** Flows are checked often, and run more often still. */
const mostKnown = 200;
const known = new Map<string, LoadedPipeline>();

/** Faults of an observationSource, with their places in it, as sentences. */
export function faultsOfSource(source: string): readonly string[] {
  return load(source).faults.map(sentence);
}

/** Undefined when it has faults. */
export function graphOfSource(source: string): Graph | undefined {
  return load(source).graph;
}

function load(source: string): LoadedPipeline {
  let loaded = known.get(source);
  if (!loaded) {
    loaded = loadPipeline(source);
    if (known.size >= mostKnown) known.clear();
    known.set(source, loaded);
  }
  return loaded;
}

function sentence({ line, column, detail, fix }: Fault): string {
  return `line ${String(line)}, column ${String(column)}: ${detail}${fix === undefined ? '' : ` ${fix}`}`;
}
