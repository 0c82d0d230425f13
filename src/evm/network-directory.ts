import { defineService } from '#sdk';
import type { Network } from './network.js';

/** The chains that the hub is connected to, for connectors whose connection is not a chain itself. */
export interface NetworkDirectory {
  /**
   * By name; without one, the default network or the only one. Ask each time: a connection that is changed is opened anew.
   *
   * @throws connection.notFound
   */
  get(name?: string): Promise<Network>;
  /** @throws connection.notFound */
  byChainId(chainId: number): Promise<Network>;
}

export const networkDirectory = defineService<NetworkDirectory>('evm.networkDirectory');
