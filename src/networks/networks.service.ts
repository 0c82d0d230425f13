import type { Catalog } from '#catalog';
import type { ConnectionsService, ConnectionView } from '#connections';
import { Network } from '#evm';
import { PatchbayError } from '#sdk';

/** The connections that are chains, opened. */
export class NetworksService {
  readonly #connector: string | undefined;

  constructor(
    private readonly connections: ConnectionsService,
    catalog: Catalog,
  ) {
    this.#connector = catalog.connectorOfSection('networks')?.name;
  }

  list(): ConnectionView[] {
    return this.connections.list().filter((connection) => connection.connector === this.#connector);
  }

  /**
   * By name; without one, the default network or the only one.
   *
   * @throws connection.notFound
   */
  async get(name?: string): Promise<Network> {
    const chosen =
      this.#connector === undefined ? undefined : this.connections.nameFor(this.#connector, name ?? undefined);
    if (chosen === undefined) {
      const names = this.list().map((network) => network.name);
      throw new PatchbayError('connection.notFound', {
        detail: 'It is not clear which network is meant.',
        fix:
          names.length === 0
            ? 'Declare one under networks: in patchbay.yaml.'
            : `Add network=, one of: ${names.join(', ')}; or mark one as default: true in patchbay.yaml.`,
      });
    }
    return this.#open(chosen);
  }

  /**
   * The network of a chain; of several, the default one or the first.
   *
   * @throws connection.notFound
   */
  async byChainId(chainId: number): Promise<Network> {
    const name = this.findName(chainId);
    if (name !== undefined) return this.#open(name);
    throw new PatchbayError('connection.notFound', {
      detail: `There is no network with the chain id ${chainId}.`,
      fix: 'Declare it under networks: in patchbay.yaml.',
    });
  }

  /** What the network of a chain is called, if there is one. */
  findName(chainId: number): string | undefined {
    const networks = this.list().filter(({ settings }) => settings['chainId'] === chainId);
    return (networks.find(({ isDefault }) => isDefault) ?? networks[0])?.name;
  }

  /** Where a contract lies that its network knows by name; lower case. */
  async findAddress(chainId: number, contract: string): Promise<string | undefined> {
    const network = await this.byChainId(chainId);
    try {
      return (await network.addressBook.get(contract)).address;
    } catch (error) {
      if (error instanceof PatchbayError && error.code === 'evm.unknownContract') return undefined;
      throw error;
    }
  }

  /** Those of the networks that are known, each once. */
  chainIds(): number[] {
    return [...new Set(this.list().map(({ settings }) => Number(settings['chainId'])))];
  }

  async #open(name: string): Promise<Network> {
    const client = await this.connections.client(name);
    if (client instanceof Network) return client;
    throw new PatchbayError('internal', { detail: `The connection ${name} is no network.` });
  }
}
