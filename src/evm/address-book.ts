import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { PatchbayError, z } from '#sdk';
import type { Abi } from './abi.js';

export interface Contract {
  /** As in the address book; undefined for a bare address. */
  readonly name: string | undefined;
  /** Lower case. */
  readonly address: string;
  readonly abi: Abi;
  readonly decimals: number | undefined;
}

export interface AddressBookOptions {
  /** YAML file of the network; it may be absent. */
  readonly file: string;
  /** Where ABIs lie that are given by name. Default `contracts/abi`. */
  readonly abiFolder?: string;
  /** Where else contracts are known, by name or by address in lower case. What the file says comes first. */
  readonly findElsewhere?: (nameOrAddress: string) => Promise<Contract | undefined>;
  /** The names that are known there, for whoever mistypes one. */
  readonly namesElsewhere?: () => Promise<readonly string[]>;
}

const parameter: z.ZodType = z.lazy(() =>
  z.looseObject({
    name: z.string().optional(),
    type: z.string().max(100),
    indexed: z.boolean().optional(),
    components: z.array(parameter).optional(),
  }),
);
const abiSchema = z
  .array(z.looseObject({ type: z.string(), name: z.string().optional(), inputs: z.array(parameter).optional() }))
  .max(2_000);
const artefactSchema = z.looseObject({ abi: z.unknown(), bytecode: z.string().optional() });
const bookSchema = z.strictObject({
  contracts: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'a name has lower-case letters, digits and hyphens'),
      z.strictObject({
        address: z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address in quotes: 0x and 40 hexadecimal digits'),
        abi: z.union([z.string().min(1), abiSchema]),
        decimals: z.number().int().min(0).max(255).optional(),
      }),
    )
    .default({}),
});

const mostNamed = 20;

/** Names for the contracts of one network. The file is read again when it is asked for a name that it did not have. */
export class AddressBook {
  readonly #options: AddressBookOptions;
  readonly #abis = new Map<string, Promise<Abi>>();
  #entries: Promise<z.output<typeof bookSchema>['contracts']> | undefined;

  constructor(options: AddressBookOptions) {
    this.#options = options;
  }

  /**
   * By name, or by address together with the name of an ABI.
   *
   * @throws evm.unknownContract, config.invalid
   */
  async get(nameOrAddress: string, abi?: string): Promise<Contract> {
    if (/^0x[0-9a-fA-F]{40}$/.test(nameOrAddress)) return await this.#bare(nameOrAddress.toLowerCase(), abi);
    let entry = ownOf(await this.#load(), nameOrAddress);
    if (!entry) {
      // Asked first, because these are at hand: no call of a registered contract reads the file again.
      const registered = await this.#findElsewhere(nameOrAddress, abi);
      if (registered) return registered;
      this.#entries = undefined;
      entry = ownOf(await this.#load(), nameOrAddress);
    }
    if (!entry) throw await this.#unknown(nameOrAddress);
    return {
      name: nameOrAddress,
      address: entry.address.toLowerCase(),
      abi: abi === undefined ? await this.#abi(entry.abi) : await this.#abi(abi),
      decimals: entry.decimals,
    };
  }

  /**
   * What a compiler wrote into the folder of ABIs.
   *
   * @throws evm.unknownContract when there is nothing of this name, or no bytecode in it
   */
  async getArtefact(name: string): Promise<{ readonly abi: Abi; readonly bytecode: string }> {
    const file = this.#abiFile(name);
    const { abi, bytecode } = await readArtefact(name, file);
    if (bytecode !== undefined) return { abi, bytecode };
    throw new PatchbayError('evm.unknownContract', {
      detail: `${file} has no bytecode to deploy`,
      fix: 'Put the whole artefact of the compiler there.',
    });
  }

  /** What the book calls an address. */
  async findName(address: string): Promise<string | undefined> {
    return Object.entries(await this.#load()).find(([, entry]) => entry.address.toLowerCase() === address)?.[0];
  }

  /** The names that its file has. */
  async list(): Promise<readonly string[]> {
    return Object.keys(await this.#load());
  }

  /** Names and addresses in the file. */
  async entries(): Promise<readonly { readonly name: string; readonly address: string }[]> {
    return Object.entries(await this.#load()).map(([name, { address }]) => ({ name, address: address.toLowerCase() }));
  }

  async #bare(address: string, abi: string | undefined): Promise<Contract> {
    const name = await this.findName(address);
    if (abi === undefined && name !== undefined) return await this.get(name);
    const registered = name === undefined ? await this.#findElsewhere(address, abi) : undefined;
    if (registered) return registered;
    if (abi === undefined) {
      throw new PatchbayError('evm.unknownContract', {
        detail: `Nothing is known of the contract at ${address}`,
        fix: `Name its ABI with abi:, or add it to ${this.#options.file}`,
      });
    }
    return { name, address, abi: await this.#abi(abi), decimals: undefined };
  }

  async #findElsewhere(nameOrAddress: string, abi: string | undefined): Promise<Contract | undefined> {
    const found = await this.#options.findElsewhere?.(nameOrAddress);
    return found && abi !== undefined ? { ...found, abi: await this.#abi(abi) } : found;
  }

  async #unknown(name: string): Promise<PatchbayError> {
    const { file, namesElsewhere } = this.#options;
    const names = [...Object.keys(await this.#load()), ...((await namesElsewhere?.()) ?? [])];
    const more = names.length > mostNamed ? ', …' : '';
    return new PatchbayError('evm.unknownContract', {
      detail: `There is no contract ${JSON.stringify(name)} in ${file}${namesElsewhere ? ', and none is registered under this name' : ''}`,
      fix:
        names.length > 0
          ? `There are: ${names.slice(0, mostNamed).join(', ')}${more}`
          : 'Add it there with address and ABI.',
    });
  }

  async #load(): Promise<z.output<typeof bookSchema>['contracts']> {
    this.#entries ??= readBook(this.#options.file);
    this.#entries.catch(() => {
      this.#entries = undefined;
    });
    return await this.#entries;
  }

  async #abi(given: string | unknown[]): Promise<Abi> {
    if (typeof given !== 'string') return given as unknown as Abi;
    const known = this.#abis.get(given);
    if (known) return await known;
    const isPath = given.includes('/') || given.endsWith('.json');
    const file = isPath ? resolve(dirname(this.#options.file), given) : this.#abiFile(given);
    const reading = readAbi(given, file);
    this.#abis.set(given, reading);
    reading.catch(() => this.#abis.delete(given));
    return await reading;
  }

  #abiFile(name: string): string {
    return join(this.#options.abiFolder ?? join('contracts', 'abi'), `${name}.json`);
  }
}

/** Names come from outside too, and `constructor` is none of the file. */
function ownOf<Entry>(entries: Readonly<Record<string, Entry>>, name: string): Entry | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

async function readBook(file: string): Promise<z.output<typeof bookSchema>['contracts']> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new PatchbayError('config.invalid', { detail: `${file} cannot be read`, cause: error });
  });
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new PatchbayError('config.invalid', { detail: `${file} is no YAML: ${String(error)}`, cause: error });
  }
  const parsed = bookSchema.safeParse(content ?? {});
  if (parsed.success) return parsed.data.contracts;
  throw new PatchbayError('config.invalid', {
    detail: `${file} is no address book`,
    faults: parsed.error.issues.map((issue) => ({
      pointer: `/${issue.path.map(String).join('/')}`,
      detail: issue.message,
      file,
    })),
  });
}

async function readAbi(name: string, file: string): Promise<Abi> {
  return (await readArtefact(name, file)).abi;
}

async function readArtefact(name: string, file: string): Promise<{ abi: Abi; bytecode: string | undefined }> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    // Compilers write an object around the ABI.
    const { abi, bytecode } = Array.isArray(content) ? { abi: content } : artefactSchema.parse(content);
    return { abi: abiSchema.parse(abi) as unknown as Abi, bytecode };
  } catch (error) {
    throw new PatchbayError('evm.unknownContract', {
      detail: `The ABI ${JSON.stringify(name)} cannot be read from ${file}`,
      fix: 'Give the name of a file in contracts/abi, a path, or the ABI itself.',
      cause: error,
    });
  }
}
