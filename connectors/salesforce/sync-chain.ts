import {
  EventReader,
  argumentNames,
  asRevert,
  compileLogDecoder,
  decodeOutputs,
  encodeCall,
  filterTopics,
  findBlock,
  getFragment,
  readPastLogs,
  toQuantity,
  type AbiFragment,
  type AbiParameter,
  type Contract,
  type Network,
} from '#evm';
import { PatchbayError } from '#sdk';
import type { ChainWrite } from './sync-merge.js';
import type { Joint, SyncMapping } from './sync-mapping.js';
import { chainKindOf, fromChain, zeroOf, type Value } from './sync-values.js';

export interface ChainBlock {
  readonly number: number;
  /** Seconds. */
  readonly timestamp: number;
}

export interface ChainEntry {
  /** By name of the output. */
  readonly values: Readonly<Record<string, Value>>;
  readonly exists: boolean;
}

/** One call that is to be made in a transaction. */
export interface ChainCall {
  readonly function: string;
  readonly args: readonly (string | boolean)[];
}

/** The entries of one contract, as far as a sync reads and writes them. */
export class SyncChain {
  readonly contract: Contract;
  readonly #network: Network;
  readonly #mapping: SyncMapping['chain'];
  readonly #read: AbiFragment;

  constructor(network: Network, contract: Contract, mapping: SyncMapping['chain']) {
    this.#network = network;
    this.contract = contract;
    this.#mapping = mapping;
    this.#read = getFragment(contract.abi, 'function', mapping.read);
  }

  static async open(network: Network, mapping: SyncMapping['chain']): Promise<SyncChain> {
    return new SyncChain(network, await network.addressBook.get(mapping.contract, mapping.abi), mapping);
  }

  get network(): Network {
    return this.#network;
  }

  get keyType(): string {
    return this.#read.inputs?.[0]?.type ?? 'string';
  }

  /** Types of what an entry has, by name. */
  get outputs(): ReadonlyMap<string, string> {
    return outputsOf(this.#read);
  }

  /** The newest block that is believed. */
  async block(signal: AbortSignal): Promise<ChainBlock> {
    const finality = this.#network.finalityOf(this.#mapping.confirmations);
    const { rpc } = this.#network;
    if (typeof finality !== 'number') return await this.#blockAt(finality, signal);
    const head = Number(await rpc.request<string>('eth_blockNumber', [], signal));
    return await this.#blockAt(Math.max(head - finality, 0), signal);
  }

  async read(key: string, block: ChainBlock, signal: AbortSignal): Promise<ChainEntry> {
    const [entry] = await this.readMany([key], block, signal);
    if (entry instanceof PatchbayError || entry === undefined) throw entry ?? new PatchbayError('evm.rpc');
    return entry;
  }

  /** Of each key its entry, or why it cannot be read. */
  async readMany(
    keys: readonly string[],
    block: ChainBlock,
    signal: AbortSignal,
  ): Promise<readonly (ChainEntry | PatchbayError)[]> {
    const { address, abi } = this.contract;
    const at = toQuantity(block.number);
    const calls = keys.map((key) => ({
      method: 'eth_call',
      params: [{ to: address, data: encodeCall(this.#read, [key]) }, at],
    }));
    const answers = await this.#network.rpc.requestMany(calls, signal);
    return answers.map((answer) => {
      if (answer.status === 'rejected') return PatchbayError.from(asRevert(answer.reason, abi) ?? answer.reason);
      try {
        return this.#entryOf(String(answer.value));
      } catch (error) {
        return PatchbayError.from(error);
      }
    });
  }

  /** The calls that make the entry so. What is not written stays as it is. */
  callsFor(key: string, write: ChainWrite, present: ChainEntry, joints: readonly Joint[]): ChainCall[] {
    const { remove, write: set } = this.#mapping;
    if (write.kind === 'remove') return [{ function: remove ?? '', args: [key] }];
    const named = joints.filter(({ salesforce }) => Object.hasOwn(write.values, salesforce));
    const alone = write.isNew && set !== undefined ? [] : named.filter((joint) => joint.write !== undefined);
    const calls = alone.map((joint) => ({
      function: joint.write ?? '',
      args: [key, solid(write.values[joint.salesforce])],
    }));
    const together = named.filter((joint) => !alone.includes(joint));
    if (set === undefined || (together.length === 0 && !write.isNew)) return calls;
    const changed = new Map(together.map((joint) => [bare(joint.chain), write.values[joint.salesforce]]));
    return [...calls, { function: set, args: this.#argumentsOf(set, key, changed, present) }];
  }

  /** When the entry of a key changed last in a range of blocks: RFC 3339. Undefined: no event says so. */
  async changedAt(key: string, from: number, to: number, signal: AbortSignal): Promise<string | undefined> {
    let newest: string | undefined;
    for await (const { key: told, at } of this.#events(from, to, signal, key)) {
      if (told === key && (newest === undefined || at >= newest)) newest = at;
    }
    return newest;
  }

  /** Keys that events of a range of blocks name, in parts, each with the block to go on with. */
  async *keysIn(
    from: number,
    to: number,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly keys: readonly string[]; readonly next: number }> {
    const sources = this.#sources();
    for await (const { logs, next } of readPastLogs(this.#network.rpc, this.#filter(sources), { from, to }, signal)) {
      const keys = sources.flatMap(({ reader }) => reader.read(logs).map(({ event }) => this.#keyOf(event.args)));
      yield { keys: [...new Set(keys)], next };
    }
  }

  async *#events(from: number, to: number, signal: AbortSignal, key: string) {
    const sources = this.#sources(key);
    for await (const { logs } of readPastLogs(this.#network.rpc, this.#filter(sources), { from, to }, signal)) {
      for (const { reader } of sources) {
        for (const { event } of reader.read(logs)) yield { key: this.#keyOf(event.args), at: event.block.timestamp };
      }
    }
  }

  #sources(key?: string) {
    const { abi, name } = this.contract;
    return this.#mapping.events.map((event) => {
      const fragment = getFragment(abi, 'event', event);
      const isIndexed = fragment.inputs?.some((input) => input.name === this.#mapping.key && input.indexed) === true;
      const where = key === undefined || !isIndexed ? {} : { [this.#mapping.key]: key };
      const reader = new EventReader({
        network: this.#network,
        decoder: compileLogDecoder(fragment),
        contractName: name,
      });
      return { reader, topics: filterTopics(fragment, where) };
    });
  }

  /** Wide enough for all of them; readers leave out what is not theirs. */
  #filter(sources: readonly { readonly topics: readonly (string | string[] | null)[] }[]) {
    const first = sources.flatMap(({ topics }) => topics[0] ?? []);
    const [only] = sources;
    const rest = sources.length === 1 && only !== undefined ? only.topics.slice(1) : [];
    return {
      addresses: [this.contract.address],
      topics: [first, ...rest.map((topic) => (topic === null ? null : [topic].flat()))],
    };
  }

  #keyOf(args: Readonly<Record<string, unknown>>): string {
    return String(args[this.#mapping.key]);
  }

  #argumentsOf(
    name: string,
    key: string,
    changed: ReadonlyMap<string, Value | undefined>,
    present: ChainEntry,
  ): (string | boolean)[] {
    const inputs = getFragment(this.contract.abi, 'function', name).inputs ?? [];
    const kept = new Map(Object.entries(present.values).map(([output, value]) => [bare(output), value]));
    const keyPlace = keyParameterOf(inputs, this.#mapping.key);
    return argumentNames(inputs).map((input, place) => {
      if (place === keyPlace) return key;
      return solid(changed.get(bare(input)) ?? kept.get(bare(input)) ?? zeroOf(inputs[place]?.type ?? ''));
    });
  }

  #entryOf(answer: string): ChainEntry {
    const decoded = decodeOutputs(this.#read, answer);
    const names = [...this.outputs.keys()];
    const tuple = structOf(this.#read);
    const given: readonly unknown[] = tuple
      ? Object.values((Object.values(decoded)[0] ?? {}) as Record<string, unknown>)
      : Object.values(decoded);
    const values = Object.fromEntries(names.map((name, place) => [name, fromChain(given[place])]));
    const types = [...this.outputs.values()];
    const { exists } = this.#mapping;
    return {
      values,
      exists:
        exists === undefined
          ? names.some((name, place) => (values[name] ?? null) !== zeroOf(types[place] ?? ''))
          : isSet(values[exists], this.outputs.get(exists)),
    };
  }

  async #blockAt(which: number | 'safe' | 'finalized', signal: AbortSignal): Promise<ChainBlock> {
    const block = await findBlock(this.#network.rpc, which, signal);
    if (block !== undefined) return block;
    throw new PatchbayError('evm.rpc', {
      detail: `The node of ${this.#network.name} does not have the block ${which}`,
    });
  }
}

/** What a function answers, name to type; the members of a struct that stands alone, and one nameless value by the function's own name. */
export function outputsOf(read: AbiFragment): ReadonlyMap<string, string> {
  const outputs = structOf(read)?.components ?? read.outputs ?? [];
  const [only] = outputs;
  if (outputs.length === 1 && only !== undefined && (only.name ?? '') === '') {
    return new Map([[read.name ?? '', only.type]]);
  }
  return new Map(argumentNames(outputs).map((name, place) => [name, outputs[place]?.type ?? '']));
}

/** Which argument is the key: the one of its name, otherwise the first. */
export function keyParameterOf(inputs: readonly AbiParameter[], key: string): number {
  return Math.max(
    argumentNames(inputs).findIndex((name) => bare(name) === bare(key)),
    0,
  );
}

/** Parameters are often written with an underscore before or after their name. */
export function bare(name: string): string {
  return name.replace(/^_+|_+$/g, '');
}

/**
 * A key as the ledger and the contract have it: addresses and bytes in lower case, numbers without leading zeros.
 * Undefined when the text cannot be one.
 */
export function parseKey(text: string, type: string): string | undefined {
  const trimmed = text.trim();
  const kind = chainKindOf(type);
  if (kind === 'address') return /^0x[0-9a-f]{40}$/i.test(trimmed) ? trimmed.toLowerCase() : undefined;
  if (kind === 'integer') return /^-?\d{1,78}$/.test(trimmed) ? BigInt(trimmed).toString() : undefined;
  if (kind === 'bytes') return /^0x([0-9a-f]{2})*$/i.test(trimmed) ? trimmed.toLowerCase() : undefined;
  return trimmed === '' ? undefined : trimmed;
}

function structOf({ outputs = [] }: AbiFragment): AbiParameter | undefined {
  const [only] = outputs;
  return outputs.length === 1 && only?.type === 'tuple' ? only : undefined;
}

function isSet(value: Value | undefined, type = ''): boolean {
  return value !== undefined && value !== null && value !== zeroOf(type);
}

function solid(value: Value | undefined): string | boolean {
  return value ?? '';
}
