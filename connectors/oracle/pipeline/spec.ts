import { TomlError, parse, type TomlTable, type TomlValue } from 'smol-toml';
import { nearest, type Fault } from '#sdk';
import type { Graph } from './graph.js';
import { loadPipeline } from './load.js';
import { locateIn, type Locate, type Place } from './place.js';
import { fieldsOf, jobTypes, type FieldReader, type JobType } from './spec-fields.js';
import { findTomlKeys, type TomlKey } from './toml-keys.js';

/** A job as a node is given it. Whatever is not there was not written. */
export interface JobSpec {
  readonly type: JobType;
  readonly name?: string;
  readonly externalJobID?: string;
  /** 0: none. */
  readonly maxTaskDurationMs?: number;
  readonly gasLimit?: string;
  readonly forwardingAllowed?: boolean;
  readonly evmChainID?: string;
  /** As it was written. */
  readonly contractAddress?: string;
  readonly minIncomingConfirmations?: number;
  /** Juels. */
  readonly minContractPaymentLinkJuels?: string;
  readonly requesters?: readonly string[];
  readonly schedule?: string;
  readonly externalInitiators?: readonly { readonly name: string; readonly spec?: string }[];
  readonly observationSource: string;
  readonly graph: Graph;
}

export interface ReadJobSpec {
  /** Undefined when there are faults. */
  readonly spec: JobSpec | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Reads a job spec (TOML, version 2) and finds every fault in it, also in its observationSource, with line and column. */
export function parseJobSpec(text: string, file?: string): ReadJobSpec {
  const reading = new Reading(text, file);
  const spec = reading.read();
  return { spec: reading.faults.length === 0 ? spec : undefined, faults: reading.faults, warnings: reading.warnings };
}

class Reading {
  readonly faults: Fault[] = [];
  readonly warnings: Fault[] = [];
  readonly #locate: Locate;
  #keys: ReadonlyMap<string, TomlKey> = new Map();

  constructor(
    readonly text: string,
    readonly file: string | undefined,
  ) {
    this.#locate = locateIn(text);
  }

  read(): JobSpec | undefined {
    const table = this.#parse();
    if (!table) return undefined;
    this.#keys = new Map(findTomlKeys(this.text).map((key) => [key.name, key]));
    const type = this.#type(table);
    if (type === undefined) return undefined;
    this.#checkVersion(table);
    const fields = fieldsOf(type);
    this.#checkNames(table, Object.keys(fields), type);
    const given: Record<string, unknown> = {};
    for (const [name, { read, isRequired = false, as = name }] of Object.entries(fields)) {
      const value = table[name];
      if (value !== undefined) given[as] = this.#read(name, value, read);
      else if (isRequired) this.#missing(name, type);
    }
    const source = given['observationSource'];
    const graph = typeof source === 'string' ? this.#graph(source) : undefined;
    if (!graph) return undefined;
    // Every field was made by its reader, and required ones are there or told.
    return { ...given, type, graph } as unknown as JobSpec;
  }

  #parse(): TomlTable | undefined {
    try {
      return parse(this.text, { integersAsBigInt: true, unsafeKeyBehaviour: 'throw' });
    } catch (error) {
      const place = error instanceof TomlError ? { line: error.line, column: error.column } : { line: 1, column: 1 };
      const words = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
      this.#tell(this.faults, place, 'toml', `The file is no TOML: ${words.replace(/^Invalid TOML document: /, '')}.`);
      return undefined;
    }
  }

  #type(table: TomlTable): JobType | undefined {
    const { type } = table;
    if (type === undefined) {
      this.#tell(
        this.faults,
        { line: 1, column: 1 },
        'missing-key',
        'The spec has no type.',
        `Add type = "directrequest".`,
      );
      return undefined;
    }
    const found = jobTypes.find((known) => known === type);
    if (found === undefined) {
      this.#tell(
        this.faults,
        this.#valuePlace('type'),
        'unknown-job-type',
        `Jobs of the type ${shown(type)} cannot be run here.`,
        `There is: ${jobTypes.join(', ')}.`,
      );
    }
    return found;
  }

  #checkVersion({ schemaVersion }: TomlTable): void {
    if (schemaVersion === 1n) return;
    if (schemaVersion === undefined) {
      this.#tell(this.warnings, { line: 1, column: 1 }, 'missing-key', 'A node would want schemaVersion = 1.');
      return;
    }
    this.#tell(
      this.faults,
      this.#valuePlace('schemaVersion'),
      'bad-value',
      `schemaVersion must be 1, not ${shown(schemaVersion)}.`,
    );
  }

  /** Nodes ignore what they do not know, and typing errors with it. */
  #checkNames(table: TomlTable, known: readonly string[], type: JobType): void {
    for (const name of Object.keys(table)) {
      if (name === 'type' || name === 'schemaVersion' || known.includes(name)) continue;
      const meant = nearest(name, known);
      this.#tell(
        this.warnings,
        this.#keyPlace(name),
        'unknown-key',
        `Jobs of the type ${type} have no ${name}; it has no effect.`,
        meant === undefined ? 'Remove it.' : `Did you mean ${meant}?`,
      );
    }
  }

  #read(name: string, value: TomlValue, read: FieldReader): unknown {
    const result = read(value);
    if ('problem' in result) {
      this.#tell(this.faults, this.#valuePlace(name), 'bad-value', `${name} ${result.problem}`, result.fix);
      return undefined;
    }
    if (result.warning !== undefined) {
      this.#tell(this.warnings, this.#valuePlace(name), 'bad-value', `${name} ${result.warning}`);
    }
    return result.value;
  }

  #graph(source: string): Graph | undefined {
    const loaded = loadPipeline(source, this.#sourceLocate(source));
    for (const fault of loaded.faults) this.faults.push(this.#inFile(fault));
    for (const warning of loaded.warnings) this.warnings.push(this.#inFile(warning));
    return loaded.graph;
  }

  /** A text inside the file: its characters need not lie as far apart as they do in the text. */
  #sourceLocate(source: string): Locate {
    const offsets = this.#keys.get('observationSource')?.offsets;
    const start = this.#keys.get('observationSource')?.valueAt ?? 0;
    if (offsets?.length !== source.length + 1) return (offset) => this.#locate(start + offset);
    return (offset) => this.#locate(offsets[Math.min(offset, offsets.length - 1)]!);
  }

  #missing(name: string, type: JobType): void {
    this.#tell(this.faults, { line: 1, column: 1 }, 'missing-key', `A job of the type ${type} needs ${name}.`);
  }

  #keyPlace(name: string): Place {
    return this.#locate(this.#keys.get(name)?.at ?? 0);
  }

  #valuePlace(name: string): Place {
    return this.#locate(this.#keys.get(name)?.valueAt ?? 0);
  }

  #tell(list: Fault[], place: Place, rule: string, detail: string, fix?: string): void {
    list.push(this.#inFile({ pointer: '#', rule, detail, ...place, ...(fix !== undefined && { fix }) }));
  }

  #inFile(fault: Fault): Fault {
    return this.file === undefined ? fault : { ...fault, file: this.file };
  }
}

function shown(value: TomlValue): string {
  return typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'nothing').slice(0, 100);
}
