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
    const client = await this.connections.client(chosen);
    if (client instanceof Network) return client;
    throw new PatchbayError('internal', { detail: `The connection ${chosen} is no network.` });
  }
}
