import { watch, type FSWatcher } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadFlow, type CompiledFlow, type LoadOptions, type Vocabulary } from '#engine';
import { Looks } from '#platform';
import { PatchbayError, type Fault, type Logger } from '#sdk';
import { isSyncDocument, type KnownSync } from '#sync';
import type { FlowChecker } from './flow-checker.js';
import { cannotRead, loadFlowFile, movesValue, usesOfFile, type FlowFile } from './flow-file.js';
import type { FlowsStore, StoredFlow } from './flows.store.js';
import { Pauses } from './pauses.js';

export interface FlowsParts {
  readonly folder: string;
  readonly vocabulary: Vocabulary;
  readonly connections: () => ReadonlyMap<string, string>;
  /** What flows may read as `env.NAME`. */
  readonly env: Readonly<Record<string, string>>;
  readonly store: FlowsStore;
  /** Asks the other sides of a flow that is new or changed. Absent: nobody is asked. */
  readonly checker?: Pick<FlowChecker, 'checkUses'>;
  /** When those that did not answer are asked again. Default: after 20 seconds. */
  readonly askAgainMs?: number;
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
  /** Risks that this version takes, and what could not be checked when it was loaded. */
  readonly warnings: readonly Fault[];
}

type LoadedFlow = Omit<KnownFlow, 'isPaused'>;

/** Files with faults that have no good version to fall back on. */
export interface BrokenFile {
  readonly file: string;
  readonly faults: readonly Fault[];
}

/** What the operator is told of. */
interface Trouble {
  readonly message: string;
  readonly about: Readonly<Record<string, unknown>>;
}

const settleMs = 100;
const refreshMs = 2_000;
const defaultAskAgainMs = 20_000;

/** The flow files of the folder, reloaded when they change. A fault in one never touches the others, nor its own last good version. */
export class FlowsService {
  #flows = new Map<string, LoadedFlow>();
  #broken: readonly BrokenFile[] = [];
  #syncs: readonly KnownSync[] = [];
  #isLoaded = false;
  #isStopped = false;
  readonly #versions = new Map<string, CompiledFlow>();
  readonly #pauses = new Pauses();
  readonly #looks: Looks;
  readonly #listeners = new Set<() => void>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Of the last reading: a trouble that lasts is told of once. */
  #told: ReadonlySet<string> = new Set();
  #reloading: Promise<void> = Promise.resolve();

  constructor(private readonly parts: FlowsParts) {
    // Another process may pause or resume a flow; the row says so.
    this.#looks = new Looks({
      look: async () => void (await this.#stored()),
      failed: () => undefined,
      everyMs: refreshMs,
    });
  }

  async start(): Promise<void> {
    await this.reload();
    void this.#looks.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await Promise.all([this.#looks.stop(), this.#reloading]);
  }

  /** Whether all of the folder could be read: that a flow is not among the flows then means that it is gone. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  list(): readonly KnownFlow[] {
    return [...this.#flows.values()].map((flow) => this.#withPause(flow)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  broken(): readonly BrokenFile[] {
    return this.#broken;
  }

  /** Files that stand for several flows. */
  syncs(): readonly KnownSync[] {
    return this.#syncs;
  }

  find(name: string): KnownFlow | undefined {
    const flow = this.#flows.get(name);
    return flow && this.#withPause(flow);
  }

  get(name: string): KnownFlow {
    const flow = this.find(name);
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
    this.#pauses.set(name, isPaused);
    this.#tell();
    // As it is by now: the files may have been read meanwhile.
    return this.#withPause(this.#flows.get(name) ?? flow);
  }

  reload(): Promise<void> {
    this.#reloading = this.#reloading
      .then(() => this.#load())
      .catch((error: unknown) => {
        this.parts.log.error('The flow files could not be read', { folder: this.parts.folder, error });
        // A file that has changed is told of only once.
        this.#reloadIn(refreshMs);
      });
    return this.#reloading;
  }

  #reloadIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.reload(), ms);
  }

  /**
   * Anew for each reading: by now another folder may have taken the place of the one that is watched. What cannot be
   * watched is read again and again.
   */
  #watch(): Trouble[] {
    if (this.#isStopped) return [];
    const former = this.#watcher;
    this.#watcher = undefined;
    try {
      this.#watcher = watch(this.parts.folder, () => this.#reloadIn(settleMs));
      this.#watcher.on('error', () => this.#reloadIn(settleMs));
      return [];
    } catch (error) {
      this.#reloadIn(refreshMs);
      return [{ message: 'The flow folder cannot be watched', about: { folder: this.parts.folder, error } }];
    } finally {
      former?.close();
    }
  }

  /** Chance spreads retries over time, so that what failed together does not come back together. */
  #options(): LoadOptions {
    return { vocabulary: this.parts.vocabulary, env: this.parts.env, random: Math.random };
  }

  async #load(): Promise<void> {
    // First: what is written while the files are read is heard too.
    const troubles = this.#watch();
    const stored = new Map((await this.#stored()).map((flow) => [flow.name, flow]));
    const next = new Map<string, LoadedFlow>();
    const broken: BrokenFile[] = [];
    const syncs: KnownSync[] = [];
    const files = await this.#files().catch((error: unknown) => {
      troubles.push({ message: 'The flow folder cannot be read', about: { folder: this.parts.folder, error } });
    });
    let isWhole = files !== undefined;
    for (const file of files ?? []) {
      const text = await readFile(join(this.parts.folder, file), 'utf8').catch((error: unknown) =>
        cannotRead(file, error),
      );
      const document = typeof text === 'string' ? text : undefined;
      const { flows, sync, faults, warnings } =
        typeof text === 'string'
          ? await this.#read({ file, document: text }, { stored, next })
          : { flows: [], sync: undefined, faults: [text], warnings: [] };
      isWhole &&= document !== undefined;
      if (document === undefined || faults.length > 0) {
        const kept = await this.#lastGood(file, document, stored);
        if (kept.length === 0 || kept.some(({ name }) => next.has(name))) broken.push({ file, faults });
        else for (const flow of kept) next.set(flow.name, { ...flow, faults });
        const known = this.#syncs.find((one) => one.file === file);
        if (known !== undefined) syncs.push({ ...known, faults });
        continue;
      }
      if (sync !== undefined) syncs.push({ file, document, compiled: sync, faults: [], warnings });
      for (const compiled of flows) {
        const { name, version } = compiled.flow;
        this.#versions.set(version, compiled);
        next.set(name, { name, file, compiled, faults: [], warnings });
      }
    }
    for (const flow of next.values()) {
      const { name, version, document } = flow.compiled.flow;
      const row = stored.get(name);
      if (flow.faults.length > 0 || (row?.version === version && row.file === flow.file)) continue;
      await this.parts.store.activate({ name, version, document, file: flow.file });
    }
    for (const { file, faults } of [...broken, ...[...next.values()].filter((flow) => flow.faults.length > 0)]) {
      const about = { file, faults: faults.length, first: faults[0]?.detail };
      troubles.push({ message: 'A flow file has faults', about });
    }
    this.#flows = next;
    this.#broken = broken;
    this.#syncs = syncs;
    this.#isLoaded = isWhole;
    this.#tellTroubles(troubles);
    if (!isWhole) this.#reloadIn(refreshMs);
    else if ([...next.values()].some(isUnchecked)) this.#reloadIn(this.parts.askAgainMs ?? defaultAskAgainMs);
    this.#tell();
  }

  async #read(
    { file, document }: { readonly file: string; readonly document: string },
    { stored, next }: { stored: ReadonlyMap<string, StoredFlow>; next: ReadonlyMap<string, LoadedFlow> },
  ): Promise<FlowFile> {
    const read = loadFlowFile(document, { file, ...this.#options(), connections: this.parts.connections() });
    const { flows } = read;
    const twin = flows.map(({ flow }) => next.get(flow.name)).find((other) => other !== undefined);
    if (twin !== undefined) return { ...read, faults: [duplicateName(file, twin.name, twin.file)] };
    const isNew = flows.some(({ flow }) => stored.get(flow.name)?.version !== flow.version);
    const known = this.#warningsOf(flows);
    const about = { movesValue: movesValue(flows) };
    const asks = isNew || isUnchecked({ warnings: known });
    const checked = asks ? await this.parts.checker?.checkUses(usesOfFile(document, file), about) : undefined;
    const found = checked?.faults ?? [];
    // What runs already goes on, whatever the other side says of it by now.
    const late = isNew ? [] : found.map((fault) => ({ ...fault, severity: 'warning' as const }));
    const told = [...read.warnings, ...(checked?.warnings ?? known), ...late];
    const warnings = [...new Map(told.map((fault) => [`${fault.pointer} ${fault.detail}`, fault])).values()];
    return { ...read, faults: isNew ? found : read.faults, warnings };
  }

  #warningsOf(flows: readonly CompiledFlow[]): readonly Fault[] {
    const [first] = flows;
    const known = first && this.#flows.get(first.flow.name);
    return known?.compiled.flow.version === first?.flow.version ? (known?.warnings ?? []) : [];
  }

  /** What this file held when it last had no faults: in this process, or before the restart. */
  async #lastGood(
    file: string,
    document: string | undefined,
    stored: ReadonlyMap<string, StoredFlow>,
  ): Promise<readonly LoadedFlow[]> {
    const known = [...this.#flows.values()].filter((flow) => flow.file === file);
    if (known.length > 0) return known;
    const rows = [...stored.values()].filter((flow) => flow.file === file);
    // Several: a sync's, or a flow's and the one's whose name it had before. Without the file nobody knows.
    if (document === undefined && rows.length > 1) return [];
    const kept: LoadedFlow[] = [];
    const isSync = document !== undefined && isSyncDocument(document);
    for (const { name, version } of isSync ? rows : rows.slice(0, 1)) {
      const compiled = await this.version(version).catch(() => undefined);
      if (compiled !== undefined) kept.push({ name, file, compiled, faults: [], warnings: [] });
    }
    return kept;
  }

  async #files(): Promise<string[]> {
    const names = await readdir(this.parts.folder);
    return names.filter((name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name)).sort();
  }

  #tellTroubles(troubles: readonly Trouble[]): void {
    const keyOf = ({ message, about: { error, ...about } }: Trouble) => `${message} ${JSON.stringify(about)}`;
    for (const trouble of troubles) {
      if (!this.#told.has(keyOf(trouble))) this.parts.log.warn(trouble.message, trouble.about);
    }
    this.#told = new Set(troubles.map(keyOf));
  }

  /** What the store knows; whoever is paused by another process is so here from now on. */
  async #stored(): Promise<readonly StoredFlow[]> {
    const asked = this.#pauses.ask();
    const rows = await this.parts.store.list();
    const changed = rows.filter(({ name, isPaused }) => this.#pauses.answer(asked, name, isPaused));
    if (changed.some(({ name }) => this.#flows.has(name))) this.#tell();
    return rows;
  }

  #withPause(flow: LoadedFlow): KnownFlow {
    return { ...flow, isPaused: this.#pauses.isPaused(flow.name) };
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

function isUnchecked({ warnings }: Pick<KnownFlow, 'warnings'>): boolean {
  return warnings.some(({ rule }) => rule === 'not-checked');
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
