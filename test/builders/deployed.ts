import { Interface } from 'ethers';
import { devAccounts, type DevChain } from '../../src/evm/testing/dev-chain.js';

export interface Deployed {
  /** Lower case. */
  readonly address: string;
  /** In a transaction of its own that must succeed; the hash. */
  send(name: string, args?: readonly unknown[], options?: { readonly from?: string }): Promise<string>;
  /** The first output, or all of them by name when there are several. */
  read(name: string, args?: readonly unknown[]): Promise<unknown>;
  /** Why a call is refused: the name of the contract's own error with its arguments, or the words of the node. */
  refusal(
    name: string,
    args?: readonly unknown[],
    options?: { readonly from?: string; readonly gas?: bigint },
  ): Promise<string>;
  encode(name: string, args: readonly unknown[]): string;
  /** Events of a transaction, as `Name(values)`. */
  events(hash: string): Promise<readonly string[]>;
}

/** Sends from the first account and waits for the block. */
export async function deployContract(
  chain: DevChain,
  { abi, bytecode }: { readonly abi: readonly unknown[]; readonly bytecode: string },
  args: readonly unknown[] = [],
): Promise<Deployed> {
  const contract = new Interface(abi as never);
  const data = bytecode + contract.encodeDeploy(args).slice(2);
  const { contractAddress } = await chain.receipt(await chain.send({ data, gas: '0x7a1200' }));
  const address = contractAddress!.toLowerCase();
  const call = (name: string, given: readonly unknown[]): string => contract.encodeFunctionData(name, given);
  return {
    address,
    async send(name, given = [], { from = devAccounts[0].address } = {}) {
      const hash = await chain.send({ from, to: address, data: call(name, given), gas: '0x7a1200' });
      const { status } = await chain.receipt(hash);
      if (status !== '0x1') throw new Error(`${name} was reverted`);
      return hash;
    },
    async read(name, given = []) {
      const answer = await chain.call<string>('eth_call', [{ to: address, data: call(name, given) }, 'latest']);
      const result = contract.decodeFunctionResult(name, answer);
      return result.length === 1 ? (result[0] as unknown) : result.toObject();
    },
    encode: call,
    async refusal(name, given = [], { from = devAccounts[0].address, gas } = {}) {
      const limit = gas === undefined ? {} : { gas: `0x${gas.toString(16)}` };
      const response = await fetch(chain.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'eth_call',
          params: [{ from, to: address, data: call(name, given), ...limit }, 'latest'],
        }),
      });
      const { error } = (await response.json()) as { error?: { message: string; data?: string } };
      if (!error) return 'not refused';
      const own = error.data === undefined ? null : contract.parseError(error.data);
      return own === null ? error.message : `${own.name}(${own.args.map(String).join(', ')})`;
    },
    async events(hash) {
      const { logs } = await chain.receipt(hash);
      return logs
        .filter((log) => log.address.toLowerCase() === address)
        .map((log) => {
          const event = contract.parseLog(log);
          return event === null ? 'unknown' : `${event.name}(${event.args.map(String).join(', ')})`;
        });
    },
  };
}
