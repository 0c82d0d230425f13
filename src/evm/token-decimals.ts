import type { Rpc } from './rpc-client.js';

const decimalsSelector = '0x313ce567';
const mostDecimals = 255n;

/** How many decimal places a token says that its amounts have; 0 when it says nothing of use, or cannot be asked. */
export async function readDecimals(rpc: Rpc, address: string): Promise<number> {
  const answer = await rpc
    .request<string>('eth_call', [{ to: address, data: decimalsSelector }, 'latest'])
    .catch(() => '0x');
  const decimals = /^0x[0-9a-f]{64}$/i.test(answer) ? BigInt(answer) : 0n;
  return decimals <= mostDecimals ? Number(decimals) : 0;
}
