import { watch, type FSWatcher } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadFlow, type CompiledFlow, type LoadOptions, type Vocabulary } from '#engine';
import { PatchbayError, type Fault, type Logger } from '#sdk';
import type { FlowChecker } from './flow-checker.js';
import type { FlowsStore, StoredFlow } from './flows.store.js';

export interface FlowsParts {
  readonly folder: string;
  readonly vocabulary: Vocabulary;
  readonly connections: () => ReadonlyMap<string, string>;
  /** What flows may read as `env.NAME`. */
  readonly env: Readonly<Record<string, string>>;
  readonly store: FlowsStore;
  /** Asks the other sides of a flow that is new or changed. Absent: nobody is asked. */
  readonly checker?: Pick<FlowChecker, 'check'>;
  readonly log: Logger;
}

export interface KnownFlow {
  readonly name: string;
  readonly file: string;
  /** The version that runs: the newest one without faults. */
  readonly compiled: CompiledFlow;
  readonly isPaused: boolean;
  /** Of the file as it is now; not empty means that an older version runs. */
  readonly faults: readonly Fault[];
  /** What could not be checked when this version was loaded. */
  readonly warnings: readonly Fault[];
}

/** Files with faults that have no good version to fall back on. */
export interface BrokenFile {
  readonly file: string;
  readonly faults: readonly Fault[];
}

const settleMs = 100;
const refreshMs = 2_000;

/** The flow files of the folder, reloaded when they change. A fault in one never touches the others, nor its own last good version. */
export class FlowsService {
  #flows = new Map<string, KnownFlow>();
  #broken: readonly BrokenFile[] = [];
  #isLoaded = false;
  readonly #versions = new Map<string, CompiledFlow>();
  readonly #listeners = new Set<() => void>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #refresh: NodeJS.Timeout | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(private readonly parts: FlowsParts) {}

  async start(): Promise<void> {
    await this.reload();
    try {
      this.#watcher = watch(this.parts.folder, () => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.reload(), settleMs);
      });
      this.#watcher.on('error', (error) => this.parts.log.warn('The flow folder is no longer watched', { error }));
    } catch (error) {
      this.parts.log.warn('The flow folder cannot be watched', { folder: this.parts.folder, error });
    }
    // Another process may pause or resume a flow; the row says so.
    this.#refresh = setInterval(() => void this.#refreshPauses(), refreshMs).unref();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#refresh);
    this.#watcher?.close();
    await this.#reloading;
  }

  /** Whether the folder could be read: that a flow is not among the flows then means that it is gone. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  list(): readonly KnownFlow[] {
    return [...this.#flows.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  broken(): readonly BrokenFile[] {
    return this.#broken;
  }

  find(name: string): KnownFlow | undefined {
    return this.#flows.get(name);
  }

  get(name: string): KnownFlow {
    const flow = this.#flows.get(name);
    if (flow !== undefined) return flow;
    throw new PatchbayError('flow.notFound', {
      detail: `There is no flow called ${name}.`,
      fix: this.#flows.size === 0 ? 'Put a flow file into the flow folder.' : `Known flows: ${this.#names()}.`,
    });
  }

  /** Flows that start runs now. */
  running(): readonly KnownFlow[] {
    return this.list().filter((flow) => flow.compiled.flow.enabled && !flow.isPaused);
  }

  /** The version a run began with, from memory or from the store. */
  async version(id: string): Promise<CompiledFlow> {
    const known = this.#versions.get(id);
    if (known !== undefined) return known;
    const document = await this.parts.store.document(id);
    if (document === undefined) {
      throw new PatchbayError('flow.notFound', { detail: `The version ${id} of the flow is not stored.` });
    }
    const { flow, faults } = loadFlow(document, this.#options());
    if (flow === undefined) {
      throw new PatchbayError('flow.invalid', {
        detail: `The version ${id} of the flow can no longer be loaded: ${faults[0]?.detail ?? ''}`,
        fix: 'Replay the run with the present version.',
        faults,
      });
    }
    this.#versions.set(id, flow);
    return flow;
  }

  async setPaused(name: string, isPaused: boolean): Promise<KnownFlow> {
    const flow = this.get(name);
    await this.parts.store.setPaused(name, isPaused);
    const changed = { ...flow, isPaused };
    this.#flows.set(name, changed);
    this.#tell();
    return changed;
  }

  reload(): Promise<void> {
    this.#reloading = this.#reloading
      .then(() => this.#load())
      .catch((error: unknown) => {
        this.parts.log.error('The flow files could not be read', { folder: this.parts.folder, error });
      });
    return this.#reloading;
  }

  /** Chance spreads retries over time, so that what failed together does not come back together. */
  #options(): LoadOptions {
    return { vocabulary: this.parts.vocabulary, env: this.parts.env, random: Math.random };
  }

  async #load(): Promise<void> {
    const stored = new Map((await this.parts.store.list()).map((flow) => [flow.name, flow]));
    const next = new Map<string, KnownFlow>();
    const broken: BrokenFile[] = [];
    const files = await this.#files();
    const isReadable = files !== undefined;
    for (const file of files ?? []) {
      const document = await readFile(join(this.parts.folder, file), 'utf8');
      const { flow, faults } = loadFlow(document, {
        file,
        ...this.#options(),
        connections: this.parts.connections(),
      });
      const name = flow?.flow.name;
      const twin = name === undefined ? undefined : next.get(name);
      // What runs already goes on, whatever became of the other side since.
      const isNew = flow !== undefined && stored.get(flow.flow.name)?.version !== flow.flow.version;
      const checked = isNew ? await this.parts.checker?.check(document, file) : undefined;
      if (flow === undefined || twin !== undefined || (checked !== undefined && checked.faults.length > 0)) {
        const all = twin === undefined ? (checked?.faults ?? faults) : [duplicateName(file, name ?? '', twin.file)];
        const kept = await this.#lastGood(file, stored);
        if (kept === undefined || next.has(kept.name)) broken.push({ file, faults: all });
        else next.set(kept.name, { ...kept, faults: all });
        continue;
      }
      this.#versions.set(flow.flow.version, flow);
      next.set(flow.flow.name, {
        name: flow.flow.name,
        file,
        compiled: flow,
        isPaused: stored.get(flow.flow.name)?.isPaused ?? false,
        faults: [],
        warnings: checked?.warnings ?? this.#warningsOf(flow),
      });
    }
    for (const flow of next.values()) {
      if (flow.faults.length > 0 || stored.get(flow.name)?.version === flow.compiled.flow.version) continue;
      const { name, version, document } = flow.compiled.flow;
      await this.parts.store.activate({ name, version, document, file: flow.file });
    }
    for (const { file, faults } of [...broken, ...[...next.values()].filter((flow) => flow.faults.length > 0)]) {
      this.parts.log.warn('A flow file has faults', { file, faults: faults.length, first: faults[0]?.detail });
    }
    this.#flows = next;
    this.#broken = broken;
    this.#isLoaded = isReadable;
    this.#tell();
  }

  #warningsOf({ flow }: CompiledFlow): readonly Fault[] {
    const known = this.#flows.get(flow.name);
    return known?.compiled.flow.version === flow.version ? known.warnings : [];
  }

  /** What this file held when it last had no faults: in this process, or before the restart. */
  async #lastGood(file: string, stored: ReadonlyMap<string, StoredFlow>): Promise<KnownFlow | undefined> {
    const known = [...this.#flows.values()].find((flow) => flow.file === file);
    if (known !== undefined) return known;
    const row = [...stored.values()].find((flow) => flow.file === file);
    if (row === undefined) return undefined;
    const compiled = await this.version(row.version).catch(() => undefined);
    return compiled && { name: row.name, file, compiled, isPaused: row.isPaused, faults: [], warnings: [] };
  }

  async #files(): Promise<string[] | undefined> {
    const names = await readdir(this.parts.folder).catch((error: unknown) => {
      this.parts.log.warn('The flow folder cannot be read', { folder: this.parts.folder, error });
      return undefined;
    });
    return names?.filter((name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name)).sort();
  }

  async #refreshPauses(): Promise<void> {
    const rows = await this.parts.store.list().catch(() => []);
    let isChanged = false;
    for (const row of rows) {
      const flow = this.#flows.get(row.name);
      if (flow === undefined || flow.isPaused === row.isPaused) continue;
      this.#flows.set(row.name, { ...flow, isPaused: row.isPaused });
      isChanged = true;
    }
    if (isChanged) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #names(): string {
    return this.list()
      .slice(0, 10)
      .map((flow) => flow.name)
      .join(', ');
  }
}

function duplicateName(file: string, name: string, other: string): Fault {
  return {
    pointer: '/name',
    file,
    line: 1,
    column: 1,
    rule: 'duplicate-name',
    detail: `${other} already holds a flow called ${name}.`,
    fix: 'Give one of them another name.',
  };
}
