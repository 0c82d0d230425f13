import { setTimeout as delay } from 'node:timers/promises';
import { Wallet } from 'ethers';
import { compileLogDecoder, encodeCall, getFragment, topicOf, type ChainLog } from '#evm';
import { chainlinkFulfilled, oracleRequest } from '../../connectors/oracle/operator-abi.js';
import type { OracleStage } from './oracle-stage.js';
import { devAccounts, type DevChain } from '../../src/evm/testing/dev-chain.js';
import { eventually } from './eventually.js';

/** As nodes spell it on the chain: text, padded with zeros. */
export const priceJob = `0x${Buffer.from('price').toString('hex').padEnd(64, '0')}`;

const decoder = compileLogDecoder(oracleRequest);
const gasLimit = 400_000n;

/** What the flow of these requests answers: the number that the request carries, in hundredths. */
export const priceFlow = (connection: string): string => `
name: prices
trigger:
  uses: oracle.request
  connection: ${connection}
  with: { job: price, confirmations: 0 }
steps:
  - id: answer
    uses: oracle.fulfill
    connection: ${connection}
    with:
      request: "{{event.request}}"
      type: uint256
      value: "{{event.params.path}}"
      times: "{{event.params.times}}"
`;

/** A consumer that asks for numbers, each another one, from an account of its own, and what became of what it asked. */
export class OracleRequests {
  readonly #wallet = new Wallet(devAccounts[0].key);
  #nonce = 0;
  #asked = 0;

  private constructor(
    private readonly chain: DevChain,
    private readonly stage: OracleStage,
  ) {}

  static async open(chain: DevChain, stage: OracleStage): Promise<OracleRequests> {
    const requests = new OracleRequests(chain, stage);
    requests.#nonce = Number(await chain.call('eth_getTransactionCount', [devAccounts[0].address, 'latest']));
    return requests;
  }

  get asked(): number {
    return this.#asked;
  }

  /** So many more, as they come; nobody waits until they are mined. Each asks for another number, unless one is given. */
  async ask(count: number, number?: string): Promise<void> {
    const ask = getFragment(this.stage.consumer.abi, 'function', 'askPrice');
    for (let end = this.#asked + count; this.#asked < end;) {
      this.#asked += 1;
      const args = [priceJob, '1', 'https://prices.example', number ?? `${String(this.#asked)}.5`, '100'];
      const raw = await this.#wallet.signTransaction({
        type: 2,
        chainId: 31_337,
        nonce: this.#nonce,
        to: this.stage.consumer.address,
        data: encodeCall(ask, args),
        gasLimit,
        maxFeePerGas: 100_000_000_000n,
        maxPriorityFeePerGas: 1_000_000_000n,
      });
      this.#nonce += 1;
      await this.chain.call('eth_sendRawTransaction', [raw]);
    }
  }

  /**
   * Replaces the newest blocks: what asked in them asks again, later, so that the same requests come with another
   * expiration. @returns how many
   */
  async reorganise(depth: number): Promise<number> {
    // A block of the clock in between would be another newest one.
    await this.chain.call('evm_setIntervalMining', [0]);
    const head = await this.chain.head();
    const blocks = await Promise.all(
      Array.from({ length: depth }, (_, index) =>
        this.chain.call<{ transactions: { hash: string; from: string }[] }>('eth_getBlockByNumber', [
          `0x${(head - depth + 1 + index).toString(16)}`,
          true,
        ]),
      ),
    );
    const own = blocks.flatMap(({ transactions }) =>
      transactions.filter(({ from }) => from === devAccounts[0].address),
    );
    const raws = await Promise.all(own.map(({ hash }) => this.chain.call('eth_getRawTransactionByHash', [hash])));
    const last = depth - 1;
    await this.chain.call('anvil_reorg', [depth, raws.map((raw) => [raw, last])]);
    await this.chain.call('evm_setIntervalMining', [1]);
    return raws.length;
  }

  /** What the chain has in the end. */
  async report(): Promise<OracleReport> {
    const { asked, answers } = await this.#look();
    return {
      requests: asked.length,
      unanswered: asked.filter(({ id }) => !answers.has(id)).length,
      answeredTwice: [...answers.values()].filter((blocks) => blocks.length > 1).length,
      blocksToAnswer: asked
        .flatMap(({ id, blockNumber }) => (answers.get(id) ?? []).map((answered) => answered - blockNumber))
        .sort((one, other) => one - other),
      wrong: await this.#countWrong(asked),
    };
  }

  /** Resolves when so many requests are in the chain, and all but `others` have their answer there. */
  async untilAnswered(count: number, { withinMs, others = 0 }: { withinMs: number; others?: number }): Promise<void> {
    for (const deadline = performance.now() + withinMs; ; await delay(500)) {
      const { asked, answers } = await this.#look();
      const unanswered = asked.filter(({ id }) => !answers.has(id)).length;
      if (asked.length >= count && unanswered <= others) return;
      if (performance.now() > deadline) {
        throw new Error(`${String(unanswered)} of ${String(asked.length)} requests have no answer`);
      }
    }
  }

  /** Resolves when an answer lies in one of the newest two blocks. */
  async untilAnswering(): Promise<void> {
    await eventually(
      async () => {
        const [{ answers }, head] = await Promise.all([this.#look(), this.chain.head()]);
        return [...answers.values()].flat().some((block) => block >= head - 1);
      },
      { withinMs: 60_000, what: 'An answer' },
    );
  }

  async #look(): Promise<{ asked: Asked[]; answers: ReadonlyMap<string, readonly number[]> }> {
    const [requests, fulfilled] = await Promise.all([
      this.#logs(this.stage.operator.address, decoder.topic),
      this.#logs(this.stage.consumer.address, topicOf(chainlinkFulfilled)),
    ]);
    const answers = new Map<string, number[]>();
    for (const { topics, blockNumber } of fulfilled) {
      const id = topics[1] ?? '';
      answers.set(id, [...(answers.get(id) ?? []), Number(blockNumber)]);
    }
    const asked = requests.map((log): Asked => {
      const { args } = decoder.decode(log);
      return { id: String(args['requestId']), data: String(args['data']), blockNumber: Number(log.blockNumber) };
    });
    return { asked, answers };
  }

  async #countWrong(asked: readonly Asked[]): Promise<number> {
    let wrong = 0;
    for (const { id, data } of asked) {
      const value = String(Object.values(await this.stage.read(this.stage.consumer, 'answers', [id]))[0]);
      const [, number = ''] =
        /path(?:[\x60-\x77])([\d.]+)/.exec(Buffer.from(data.slice(2), 'hex').toString('latin1')) ?? [];
      if (value === '0x' || BigInt(value) !== BigInt(Math.round(Number(number) * 100))) wrong += 1;
    }
    return wrong;
  }

  async #logs(address: string, topic: string): Promise<readonly ChainLog[]> {
    return await this.chain.call('eth_getLogs', [{ address, topics: [topic], fromBlock: '0x0', toBlock: 'latest' }]);
  }
}

export interface OracleReport {
  readonly requests: number;
  readonly unanswered: number;
  readonly answeredTwice: number;
  /** Whose value is not the one that was asked for, or is missing. */
  readonly wrong: number;
  /** From the block of the request to that of its answer, the shortest first. */
  readonly blocksToAnswer: readonly number[];
}

interface Asked {
  readonly id: string;
  readonly data: string;
  readonly blockNumber: number;
}
