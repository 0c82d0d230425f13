import { isAddress, type Abi, type Contract, type Network } from '#evm';
import type { NetworksService } from '#networks';
import type { Caller } from '#platform';
import { PatchbayError } from '#sdk';
import { compareRuntimeCode } from './compile/runtime-code.js';
import type { ContractsStore, ContractState, StoredContract } from './contracts.store.js';
import type { InterfacesService } from './interfaces.service.js';
import type { StoredInterface } from './interfaces.store.js';
import type { RegisteredContracts } from './registered-contracts.js';

/** A contract as people see it: registered here, or named in the address book's file. */
export interface KnownContract {
  readonly network: string;
  readonly address: string;
  readonly name: string | undefined;
  readonly origin: 'registered' | 'file';
  readonly state: ContractState;
  readonly interface: string | undefined;
  readonly version: number | undefined;
  readonly transactionId: string | undefined;
  readonly createdBy: string | undefined;
  readonly createdAt: Date | undefined;
}

export interface Registration {
  readonly name: string | undefined;
  readonly address: string;
  readonly interface: string;
  readonly version: number | undefined;
  readonly network: string | undefined;
}

export interface Verification {
  readonly result: 'exact' | 'partial' | 'different';
  readonly detail: string;
  readonly address: string;
  readonly network: string;
  readonly interface: string;
  readonly version: number;
  readonly compiler: string | undefined;
}

/** Where a contract lies, and how it is called when nobody has registered it. */
export interface ContractPlace {
  readonly network?: string;
  /** Name of an interface, or `name@version`. */
  readonly interface?: string;
  /** Its name is not looked up then. */
  readonly abi?: Abi;
}

/** Everything that is needed to call a contract and to describe it. */
export interface CallableContract {
  readonly network: Network;
  readonly contract: Contract;
  /** Undefined when only the address book's file knows it. */
  readonly interface: StoredInterface | undefined;
}

export interface ContractsParts {
  readonly store: ContractsStore;
  readonly interfaces: InterfacesService;
  readonly registered: RegisteredContracts;
  readonly networks: NetworksService;
}

/** Which contracts there are: friendly names, their interfaces, and whether the chain really has their code. */
export class ContractsService {
  constructor(private readonly parts: ContractsParts) {}

  /**
   * Gives an address that exists on the chain a name and an interface. The same again is the same.
   *
   * @throws request.invalid when nothing is deployed there; request.conflict when name or address is taken
   */
  async register(wanted: Registration, caller: Caller): Promise<KnownContract> {
    const [network, { id: interfaceId }] = await Promise.all([
      this.parts.networks.get(wanted.network),
      this.parts.interfaces.get(wanted.interface, wanted.version),
    ]);
    const address = checkedAddress(wanted.address);
    const known = await this.parts.store.find(network.name, address);
    if (known?.interfaceId === interfaceId && known.name === wanted.name) return fromStore(known);
    if (wanted.name !== undefined) await this.assertFree(network, wanted.name);
    if ((await codeAt(network, address)) === '0x') {
      throw new PatchbayError('request.invalid', {
        detail: `There is no contract at ${address} on ${network.name}`,
        fix: 'Check the address and the network.',
        faults: [{ pointer: '#/address', detail: 'No code is deployed there' }],
      });
    }
    await this.parts.store.add({
      network: network.name,
      address,
      name: wanted.name,
      interfaceId,
      transactionId: undefined,
      createdBy: caller.name,
    });
    this.parts.registered.forget();
    return fromStore(await this.#stored(network, address));
  }

  /** @throws request.conflict when somebody has the name on that network */
  async assertFree(network: Network, name: string): Promise<void> {
    const isInFile = (await network.addressBook.list()).includes(name);
    const twin = isInFile ? undefined : await this.parts.store.find(network.name, name);
    if (!isInFile && (twin === undefined || twin.state === 'failed')) return;
    throw new PatchbayError('request.conflict', {
      detail: `The name ${name} is taken on ${network.name}${isInFile ? ', by the file of its address book' : ''}`,
      fix: 'Choose another name.',
      faults: [{ pointer: '#/name', detail: 'It is taken' }],
    });
  }

  /** Those of the store and those of the files, by network and name. */
  async list(networkName?: string): Promise<KnownContract[]> {
    const names = networkName === undefined ? this.parts.networks.list().map(({ name }) => name) : [networkName];
    const fromFiles = await Promise.all(
      names.map(async (name) => {
        try {
          const network = await this.parts.networks.get(name);
          return (await network.addressBook.entries()).map((entry) => fromFile(network.name, entry));
        } catch (error) {
          // One that cannot be opened, or whose file is broken, does not hide the others.
          if (networkName !== undefined) throw error;
          return [];
        }
      }),
    );
    return [...fromFiles.flat(), ...(await this.parts.store.list(networkName)).map(fromStore)];
  }

  /** @throws gateway.unknownContract */
  async get(reference: string, networkName?: string): Promise<KnownContract> {
    const network = await this.parts.networks.get(networkName);
    const entry = await this.#inFile(network, reference);
    if (entry) return fromFile(network.name, entry);
    return fromStore(await this.#stored(network, reference));
  }

  /**
   * For calls and descriptions. An address that nobody has registered can be used with the name of an interface, or an ABI.
   *
   * @throws evm.unknownContract, gateway.unknownInterface
   */
  async resolve(reference: string, from: ContractPlace = {}): Promise<CallableContract> {
    const network = await this.parts.networks.get(from.network);
    if (from.abi !== undefined) {
      const address = checkedAddress(reference);
      return {
        network,
        contract: { name: undefined, address, abi: from.abi, decimals: undefined },
        interface: undefined,
      };
    }
    if (from.interface !== undefined) {
      const known = await this.parts.interfaces.byReference(from.interface);
      const address = checkedAddress(reference);
      return { network, contract: { name: undefined, address, abi: known.abi, decimals: undefined }, interface: known };
    }
    const contract = await network.addressBook.get(normal(reference)).catch((error: unknown) => {
      throw isAddress(reference) ? unknownAddress(error) : error;
    });
    return { network, contract, interface: undefined };
  }

  /** As {@link resolve}, with the docs of its interface. */
  async describe(reference: string, from: { network?: string; interface?: string } = {}): Promise<CallableContract> {
    const callable = await this.resolve(reference, from);
    if (callable.interface !== undefined) return callable;
    if ((await this.#inFile(callable.network, reference)) !== undefined) return callable;
    const stored = await this.parts.store.find(callable.network.name, callable.contract.address);
    if (stored === undefined) return callable;
    return { ...callable, interface: await this.parts.interfaces.byId(stored.interfaceId) };
  }

  async change(
    reference: string,
    change: { readonly name?: string | null; readonly interface?: string; readonly version?: number },
    { network: networkName, caller }: { readonly network: string | undefined; readonly caller: Caller },
  ): Promise<KnownContract> {
    const network = await this.parts.networks.get(networkName);
    const contract = await this.#changeable(network, reference);
    if (typeof change.name === 'string' && change.name !== contract.name) await this.assertFree(network, change.name);
    const isOther = change.interface !== undefined || change.version !== undefined;
    const other = isOther
      ? await this.parts.interfaces.get(change.interface ?? contract.interface, change.version)
      : undefined;
    await this.parts.store.change(
      contract,
      { ...(change.name !== undefined && { name: change.name }), ...(other && { interfaceId: other.id }) },
      caller.name,
    );
    this.parts.registered.forget();
    return fromStore(await this.#stored(network, contract.address));
  }

  /** The hub forgets it; on the chain nothing changes. */
  async remove(reference: string, networkName: string | undefined, caller: Caller): Promise<void> {
    const network = await this.parts.networks.get(networkName);
    await this.parts.store.remove(await this.#changeable(network, reference), caller.name);
    this.parts.registered.forget();
  }

  /** Compares the code on the chain with the compiled one. */
  async verify(reference: string, networkName?: string): Promise<Verification> {
    const network = await this.parts.networks.get(networkName);
    const contract = await this.#changeable(network, reference);
    const known = await this.parts.interfaces.byId(contract.interfaceId);
    if (known.runtimeBytecode === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: `The interface ${known.name} has no code to compare with`,
        fix: 'Register its sources, or an artefact with the deployed bytecode.',
      });
    }
    const result = compareRuntimeCode(known, await codeAt(network, contract.address));
    return {
      result,
      detail: meanings[result],
      address: contract.address,
      network: network.name,
      interface: known.name,
      version: known.version,
      compiler: known.compiler?.version,
    };
  }

  async #changeable(network: Network, reference: string): Promise<StoredContract> {
    if ((await this.#inFile(network, reference)) === undefined) return await this.#stored(network, reference);
    throw new PatchbayError('request.conflict', {
      detail: `The contract ${reference} is declared in the file of the address book of ${network.name}`,
      fix: 'Change it there.',
    });
  }

  async #stored(network: Network, reference: string): Promise<StoredContract> {
    const found = await this.parts.store.find(network.name, normal(reference));
    if (found) return found;
    const names = [...(await network.addressBook.list()), ...(await this.parts.store.names(network.name))];
    throw new PatchbayError('gateway.unknownContract', {
      detail: `There is no contract ${JSON.stringify(reference)} on ${network.name}`,
      fix: names.length > 0 ? `There are: ${names.slice(0, 20).join(', ')}` : 'Register one: POST /api/contracts.',
    });
  }

  async #inFile(network: Network, reference: string): Promise<{ name: string; address: string } | undefined> {
    const wanted = normal(reference);
    return (await network.addressBook.entries()).find(({ name, address }) => name === wanted || address === wanted);
  }
}

const meanings: Readonly<Record<Verification['result'], string>> = {
  exact: 'The code on the chain is the compiled code, its metadata included.',
  partial: 'The code on the chain does the same; its metadata differ, so comments or file names may be others.',
  different: 'The code on the chain is not the compiled code.',
};

async function codeAt(network: Network, address: string): Promise<string> {
  return await network.rpc.request<string>('eth_getCode', [address, 'latest']);
}

/** @throws request.invalid for an address with a wrong checksum */
function normal(reference: string): string {
  return /^0x[0-9a-fA-F]{40}$/.test(reference) ? checkedAddress(reference) : reference;
}

/** Over HTTP there is no `abi:` to name. */
function unknownAddress(error: unknown): unknown {
  if (!(error instanceof PatchbayError) || error.code !== 'evm.unknownContract') return error;
  const fix = 'Add interface=<name>, or register it: POST /api/contracts.';
  return new PatchbayError(error.code, { detail: error.detail, fix, cause: error });
}

/** @throws request.invalid also for a wrong checksum */
function checkedAddress(given: string): string {
  if (isAddress(given)) return given.toLowerCase();
  throw new PatchbayError('request.invalid', {
    detail: `${JSON.stringify(given)} is not a valid address`,
    fix: 'It has 0x and 40 hexadecimal digits; mixed letter case must fit its checksum.',
    faults: [{ pointer: '#/address', detail: 'It must be an address' }],
  });
}

function fromStore(contract: StoredContract): KnownContract {
  const { network, address, name, state, interface: known, version, transactionId, createdBy, createdAt } = contract;
  return {
    network,
    address,
    name,
    origin: 'registered',
    state,
    interface: known,
    version,
    transactionId,
    createdBy,
    createdAt,
  };
}

function fromFile(network: string, { name, address }: { name: string; address: string }): KnownContract {
  return {
    network,
    address,
    name,
    origin: 'file',
    state: 'deployed',
    interface: undefined,
    version: undefined,
    transactionId: undefined,
    createdBy: undefined,
    createdAt: undefined,
  };
}
