import { defineService, type Feed } from '#sdk';

/** A call that came in over the REST route of a contract. */
export interface GatewayCall {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  /** Name of the API key. */
  readonly caller: string;
  readonly network: string;
  readonly chainId: number;
  readonly contract: { readonly name?: string; readonly address: string };
  /** Signature, e.g. `mint(address,uint256)`. */
  readonly function: string;
  readonly kind: 'read' | 'send';
  readonly args: Readonly<Record<string, unknown>>;
  /** Of a read. */
  readonly result?: unknown;
  /** Id of the transaction of a send. */
  readonly transaction?: string;
}

export const gatewayCalls = defineService<Feed<GatewayCall>>('evm.gatewayCalls');
