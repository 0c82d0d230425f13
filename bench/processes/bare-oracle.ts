import { setTimeout as delay } from 'node:timers/promises';
import { Contract, JsonRpcProvider, Wallet, type EventLog } from 'ethers';
import { optionsOf, say, untilStopped } from './part-process.js';

export interface BareOracleOptions {
  readonly url: string;
  readonly operator: string;
  readonly privateKey: string;
}

const abi = [
  'event OracleRequest(bytes32 indexed specId, address requester, bytes32 requestId, uint256 payment, address callbackAddr, bytes4 callbackFunctionId, uint256 cancelExpiration, uint256 dataVersion, bytes data)',
  'function fulfillOracleRequest2(bytes32 requestId, uint256 payment, address callbackAddress, bytes4 callbackFunctionId, uint256 expiration, bytes data) returns (bool)',
];
const lookMs = 50;

// As one writes it by hand: each request is read, answered and handed to the node, then the next. No ledger, no fee that is
// raised, no second try; what comes while it is down is lost.
const { url, operator, privateKey } = optionsOf<BareOracleOptions>();
// Without its cache, which would give one nonce to two transactions.
const provider = new JsonRpcProvider(url, undefined, { staticNetwork: true, cacheTimeout: -1 });
const wallet = new Wallet(privateKey, provider);
const contract = new Contract(operator, abi, wallet);

let isStopped = false;
let next = (await provider.getBlockNumber()) + 1;
say({ ready: true });
void untilStopped().then(() => (isStopped = true));
while (!isStopped) {
  // The provider remembers the number of the head for a while.
  const head = Number(await provider.send('eth_blockNumber', []));
  if (head < next) {
    await delay(lookMs);
    continue;
  }
  const requests = await contract.queryFilter('OracleRequest', next, head);
  for (const request of requests) await answer(request as EventLog);
  next = head + 1;
}
process.exit(0);

async function answer({ args }: EventLog): Promise<void> {
  const [, , requestId, payment, callbackAddress, callbackFunctionId, expiration, , data] = args as unknown as string[];
  // {pair: text}, of which the text is short.
  const text = Buffer.from((data ?? '').slice(2), 'hex')
    .subarray(6)
    .toString('ascii');
  const words = `${requestId}${BigInt(text).toString(16).padStart(64, '0')}`;
  const call = [requestId, payment, callbackAddress, callbackFunctionId, expiration, words];
  await contract.getFunction('fulfillOracleRequest2').send(...call, { gasLimit: 500_000n });
}
