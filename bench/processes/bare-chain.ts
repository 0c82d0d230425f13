import { readFile } from 'node:fs/promises';
import { Interface, WebSocketProvider, type LogParams } from 'ethers';
import { RpcClient, compileLogDecoder, getFragment, type Abi } from '#evm';
import { createHttpClient, parseEgress } from '#platform';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface BareChainOptions {
  readonly mode: 'live' | 'past';
  readonly url: string;
  readonly wsUrl: string;
  readonly token: string;
  readonly target: string;
  /** Of mode `past`. */
  readonly from: number;
  readonly to: number;
  readonly blocksAtOnce: number;
}

// What somebody writes who needs it once: no cursor, no ledger, no retry. What fails or comes while it is down is lost.
const options = optionsOf<BareChainOptions>();
const http = createHttpClient({ egress: parseEgress(['127.0.0.1:1-65535']) });
const { abi } = JSON.parse(await readFile('contracts/abi/DemoToken.json', 'utf8')) as { readonly abi: Abi };

if (options.mode === 'live') await followChain();
else await postPast();
process.exit(0);

/** The loop of every tutorial: a block, its logs by ethers, a POST for each. */
async function followChain(): Promise<void> {
  const provider = new WebSocketProvider(options.wsUrl);
  const contract = new Interface(JSON.stringify(abi));
  const topics = [contract.getEvent('Transfer')?.topicHash ?? ''];
  await provider.on('block', (number: number) => {
    void provider
      .getLogs({ address: options.token, topics, fromBlock: number, toBlock: number })
      .then((logs) =>
        Promise.all(
          logs.map((log) => {
            const { to, value } = contract.parseLog(log)?.args.toObject() ?? {};
            const id = `${log.transactionHash}-${log.index}`;
            return post(id, { id, mark: number, to: String(to), value: String(value) });
          }),
        ),
      )
      .catch((error: unknown) => console.error('The bare loop lost a block:', error));
  });
  say({ ready: true });
  await untilStopped();
}

/** Ranges in order, decoded by a compiled decoder; calls side by side, but one after another for each receiver. */
async function postPast(): Promise<void> {
  const rpc = new RpcClient({ urls: [options.url], chainId: 31_337 });
  const decoder = compileLogDecoder(getFragment(abi, 'event', 'Transfer'));
  const lanes = new Map<string, Promise<unknown>>();
  say({ ready: true, startedAtMs: nowMs() });
  for (let from = options.from; from <= options.to; from += options.blocksAtOnce) {
    const to = Math.min(options.to, from + options.blocksAtOnce - 1);
    const query = { address: options.token, topics: [decoder.topic], fromBlock: hex(from), toBlock: hex(to) };
    for (const log of await rpc.request<LogParams[]>('eth_getLogs', [query])) {
      const key = String(decoder.decode(log).args['to']);
      const index = Number((log as unknown as { readonly logIndex: string }).logIndex);
      const id = `${log.transactionHash}-${index}`;
      const body = { id, key, seq: Number(log.blockNumber) * 10_000 + index };
      lanes.set(
        key,
        (lanes.get(key) ?? Promise.resolve()).then(() => post(id, body)),
      );
    }
    // The next range is not fetched before this one is delivered, or memory would grow with the backlog.
    await Promise.all(lanes.values());
  }
  say({ done: true });
  await untilStopped();
}

async function post(id: string, body: object): Promise<void> {
  await http.request({ method: 'POST', url: options.target, headers: { 'idempotency-key': id }, body });
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
