import { setTimeout as delay } from 'node:timers/promises';
import { oracleSigner, priceConsumer } from '../../sandbox/chain/demo-oracle.js';
import { nowMs } from '../processes/part-process.js';
import type { Faults } from '../report.js';
import type { BenchChain } from './chain.js';

/** Of anvil's phrase; asks, and does nothing else. */
const asker = '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc';
const requestPrice = 'd4fe6bd0';
const askGas = '0x61a80';
const askedTopic = '0x7b5833e57c1a80caa5470d1b7144657437910b4dc18a59065b7c3d07e146cda9';
const answeredTopic = '0x43a0f6d6bbdcc006f852318eaf1b96d7a1f20ab5c1628722f35052ad2974472e';
const lookMs = 20;
const patienceMs = 120_000;

interface Log {
  readonly topics: readonly [string, string];
  readonly blockNumber: string;
  readonly data: string;
}

export interface Answering {
  /** Taken by the node for each second from the announcement of the block with the first request on. */
  readonly perSecond: number;
  /** From the block of each request to the block of its answer. */
  readonly blocks: readonly number[];
  readonly faults: Faults;
  /** Whose answer is not what was asked for. */
  readonly wrong: number;
}

/** Contracts that ask for numbers, each for another one, and what became of what they asked. */
export class OracleQuestions {
  #asked = 0;

  constructor(
    private readonly chain: BenchChain,
    private readonly minedAt: ReadonlyMap<number, number>,
  ) {}

  /** So many questions in so many blocks, one burst in each. Resolves when all are answered, or none has been for long. */
  async ask(count: number, bursts: number): Promise<Answering> {
    const [before = 0] = await this.chain.noncesOf([oracleSigner.address], 'pending');
    const from = (await this.chain.blockNumber()) + 1;
    const taken = this.#untilTaken(before + count);
    for (let burst = 0; burst < bursts; burst += 1) {
      await this.#send(count / bursts);
      if (bursts > 1) await this.#nextBlock();
    }
    const takenAtMs = await taken;
    const answers = await this.#untilAnswered(count, from);
    const questions = await this.#logs(askedTopic, from);
    const askedIn = new Map(questions.map(({ topics, blockNumber }) => [topics[1], Number(blockNumber)]));
    const firstAtMs = this.minedAt.get(Math.min(...askedIn.values())) ?? Number.NaN;
    const answered = new Set(answers.map(({ topics }) => topics[1]));
    return {
      perSecond: (count * 1_000) / (takenAtMs - firstAtMs),
      blocks: answers.map(({ topics, blockNumber }) => Number(blockNumber) - (askedIn.get(topics[1]) ?? Number.NaN)),
      faults: { lost: count - answered.size, doubled: answers.length - answered.size, reordered: 0 },
      wrong: answers.filter(({ data }) => !isRight(data)).length,
    };
  }

  async #send(count: number): Promise<void> {
    const [nonce = 0] = await this.chain.noncesOf([asker], 'pending');
    const transactions = Array.from({ length: count }, (_, index) => ({
      from: asker,
      to: priceConsumer,
      nonce: `0x${(nonce + index).toString(16)}`,
      gas: askGas,
      data: `0x${requestPrice}${textArgument(String((this.#asked += 1)))}`,
    }));
    await this.chain.send(transactions);
  }

  async #nextBlock(): Promise<void> {
    const number = await this.chain.blockNumber();
    while ((await this.chain.blockNumber()) === number) await delay(lookMs);
  }

  async #untilTaken(nonce: number): Promise<number> {
    for (const until = Date.now() + patienceMs; Date.now() < until; await delay(lookMs)) {
      const [now = 0] = await this.chain.noncesOf([oracleSigner.address], 'pending');
      if (now >= nonce) return nowMs();
    }
    return Infinity;
  }

  async #untilAnswered(count: number, from: number): Promise<readonly Log[]> {
    for (const until = Date.now() + patienceMs; ; await delay(250)) {
      const answers = await this.#logs(answeredTopic, from);
      if (answers.length >= count || Date.now() > until) return answers;
    }
  }

  #logs(topic: string, from: number): Promise<readonly Log[]> {
    return this.chain.logs<Log>({ address: priceConsumer, topics: [topic], fromBlock: `0x${from.toString(16)}` });
  }
}

/** The number in the text that was asked about is the answer. */
function isRight(data: string): boolean {
  const [, answer = '', length = '', text = ''] = data.slice(2).match(/.{64}/g) ?? [];
  const about = Buffer.from(text.slice(0, 2 * Number(`0x${length}`)), 'hex').toString('ascii');
  return BigInt(`0x${answer}`).toString() === about;
}

function textArgument(text: string): string {
  const word = (value: number): string => value.toString(16).padStart(64, '0');
  return word(32) + word(text.length) + Buffer.from(text, 'ascii').toString('hex').padEnd(64, '0');
}
