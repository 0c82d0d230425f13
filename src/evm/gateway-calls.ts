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

/** One that is about to be made, as far as it is known before. */
export type NewGatewayCall = Omit<GatewayCall, 'id' | 'result' | 'transaction'>;

/** Which calls are meant; what is absent is any. */
export interface GatewayCallWish {
  /** Name or address. */
  readonly contract?: string | undefined;
  /** Name or signature. */
  readonly function?: string | undefined;
  readonly kind: GatewayCall['kind'] | 'any';
}

/** Said once for the one that keeps calls and the one that hears them: what is not kept is never heard. */
export function isWantedCall(
  call: Pick<GatewayCall, 'contract' | 'function' | 'kind'>,
  { contract, function: called, kind }: GatewayCallWish,
): boolean {
  if (kind !== 'any' && kind !== call.kind) return false;
  const { name, address } = call.contract;
  if (contract !== undefined && contract !== name && contract.toLowerCase() !== address) return false;
  return called === undefined || called === call.function || called === call.function.split('(', 1)[0];
}

export const gatewayCalls = defineService<Feed<GatewayCall>>('evm.gatewayCalls');
