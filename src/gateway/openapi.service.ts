import type { NetworksService } from '#networks';
import type { CallableContract, ContractsService } from './contracts.service.js';
import type { InterfacesService } from './interfaces.service.js';
import { describeContract, describeContracts, describeInterface, type DescribedContract } from './openapi-from-abi.js';

export interface OpenApiParts {
  readonly contracts: ContractsService;
  readonly interfaces: InterfacesService;
  readonly networks: NetworksService;
  readonly publicUrl: string;
}

const mostKept = 200;
/** A document of more contracts is of no use to anybody. */
const mostInOne = 200;

/** The routes of contracts in words. What one describes never changes as long as contract and interface are the same. */
export class OpenApiService {
  readonly #kept = new Map<string, object>();

  constructor(private readonly parts: OpenApiParts) {}

  async ofContract(reference: string, networkName?: string): Promise<object> {
    const callable = await this.parts.contracts.describe(reference, {
      ...(networkName !== undefined && { network: networkName }),
    });
    const described = await this.#described(callable);
    const id = callable.interface?.id;
    const { reference: name, network, address, isOnDefaultNetwork } = described;
    const key = id && [id, network, address, name, isOnDefaultNetwork].join(' ');
    return this.#keep(key, () => describeContract(described, this.parts));
  }

  async ofInterface(name: string, version?: number): Promise<object> {
    const known = await this.parts.interfaces.get(name, version);
    return this.#keep(known.id, () =>
      describeInterface({ ...known, isDeployable: known.bytecode !== undefined }, this.parts),
    );
  }

  async ofAll(networkName?: string): Promise<object> {
    const all = await this.parts.contracts.list(networkName);
    const ready = all.filter(({ state }) => state === 'deployed').slice(0, mostInOne);
    const described = await Promise.allSettled(
      ready.map(async ({ name, address, network }) =>
        this.#described(await this.parts.contracts.describe(name ?? address, { network })),
      ),
    );
    // An ABI that cannot be read says so where its contract is asked for; here it does not hide the others.
    const readable = described.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return describeContracts(readable, this.parts);
  }

  async #described({ network, contract, interface: known }: CallableContract): Promise<DescribedContract> {
    const { name, address, abi } = contract;
    return {
      reference: name ?? address,
      address,
      network: network.name,
      isOnDefaultNetwork: (await this.#defaultNetwork()) === network.name,
      abi,
      docs: known?.docs,
    };
  }

  /** Undefined when calls must always name one. */
  async #defaultNetwork(): Promise<string | undefined> {
    return await this.parts.networks.get().then(
      ({ name }) => name,
      () => undefined,
    );
  }

  #keep(key: string | undefined, make: () => object): object {
    const known = key === undefined ? undefined : this.#kept.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (this.#kept.size >= mostKept) this.#kept.clear();
    if (key !== undefined) this.#kept.set(key, made);
    return made;
  }
}
