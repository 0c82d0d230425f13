import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { PatchbayError } from '#sdk';
import type { CompiledContract } from './compile/compiled.js';
import type { InterfacesStore, InterfaceSummary, StoredInterface } from './interfaces.store.js';

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const mostKept = 500;
const longestSources = 67_108_864;

/** What an upload became: interfaces by name, each with versions that never change. */
export class InterfacesService {
  /** A version never changes, so that what was read once stays true. */
  readonly #kept = new Map<string, Promise<StoredInterface>>();

  constructor(private readonly store: InterfacesStore) {}

  /** The same content under the same name is the same version. */
  async register(
    name: string,
    contract: CompiledContract,
    { input, createdBy }: { readonly input: string | undefined; readonly createdBy: string },
  ): Promise<StoredInterface> {
    const sources = input === undefined ? undefined : await compress(input);
    return await this.store.save({ name, contract, sources, createdBy });
  }

  /** By default its newest version. @throws gateway.unknownInterface */
  async get(name: string, version?: number): Promise<StoredInterface> {
    const id = await this.store.findId(name, version);
    if (id !== undefined) return await this.byId(id);
    throw await this.#unknown(name, version);
  }

  /** By `name`, or `name@version`. @throws gateway.unknownInterface */
  async byReference(reference: string): Promise<StoredInterface> {
    const [, name, version] = /^(.*)@([1-9]\d{0,8})$/.exec(reference) ?? [];
    return await this.get(name ?? reference, version === undefined ? undefined : Number(version));
  }

  /** @throws gateway.unknownInterface */
  async byId(id: string): Promise<StoredInterface> {
    const known = this.#kept.get(id);
    if (known !== undefined) return await known;
    const reading = this.store.findById(id).then((found) => {
      if (found) return found;
      throw new PatchbayError('gateway.unknownInterface', { detail: `The interface ${id} was removed` });
    });
    if (this.#kept.size >= mostKept) this.#kept.clear();
    this.#kept.set(id, reading);
    reading.catch(() => this.#kept.delete(id));
    return await reading;
  }

  list(): Promise<InterfaceSummary[]> {
    return this.store.list();
  }

  versions(name: string): Promise<InterfaceSummary[]> {
    return this.store.list(name);
  }

  /**
   * What it was compiled from: the standard JSON input of the compiler.
   *
   * @throws request.notFound when it came ready-made
   */
  async sources(name: string, version?: number): Promise<unknown> {
    const { id } = await this.get(name, version);
    const kept = await this.store.findSources(id);
    if (kept === undefined) {
      throw new PatchbayError('request.notFound', { detail: `The interface ${name} was registered without sources` });
    }
    return JSON.parse((await decompress(kept, { maxOutputLength: longestSources })).toString('utf8')) as unknown;
  }

  /** @throws gateway.unknownInterface; request.conflict while a contract uses it */
  async remove(name: string, version: number | undefined, actor: string): Promise<void> {
    if ((await this.store.remove(name, version, actor)) === 0) throw await this.#unknown(name, version);
  }

  async #unknown(name: string, version: number | undefined): Promise<PatchbayError> {
    const all = await this.store.list();
    const versions = all.filter((summary) => summary.name === name).map((summary) => summary.version);
    const names = [...new Set(all.map((summary) => summary.name))];
    if (versions.length > 0) {
      return new PatchbayError('gateway.unknownInterface', {
        detail: `The interface ${name} has no version ${version ?? ''}`,
        fix: `It has: ${versions.join(', ')}`,
      });
    }
    return new PatchbayError('gateway.unknownInterface', {
      detail: `There is no interface ${JSON.stringify(name)}`,
      fix: names.length > 0 ? `There are: ${names.slice(0, 20).join(', ')}` : 'Upload one: POST /api/interfaces.',
    });
  }
}
