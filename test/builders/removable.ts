type Rpc = <Result>(method: string, ...params: unknown[]) => Promise<Result>;

/** A transaction that a reorganisation can remove, however far the chain has come by then. */
export interface Removable {
  readonly hash: string;
  /** How many blocks are to be replaced. */
  depth(): Promise<number>;
}

/** Empty blocks come before it, which may go as well: the chain grows while the depth is found out. */
export async function removable(rpc: Rpc, transact: () => Promise<string>): Promise<Removable> {
  const spare = 10;
  await rpc('anvil_mine', `0x${spare.toString(16)}`);
  const hash = await transact();
  return {
    hash,
    depth: async () => {
      const { blockNumber } = await rpc<{ blockNumber: string }>('eth_getTransactionReceipt', hash);
      return Number(await rpc<string>('eth_blockNumber')) - Number(blockNumber) + spare;
    },
  };
}
