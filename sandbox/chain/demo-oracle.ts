import { balanceOf, deployAt, isDeployed, numberWord, payer, transact, word } from './demo-contracts.js';
import type { Rpc } from './json-rpc.js';

/** Owns the contracts below, and nothing else: they are what its first transactions create. */
const owner = '0x976ea74026e726554db657fa54763abd0c3a0aa9';
/** Another account of anvil's phrase: the hub answers with its key. */
export const oracleSigner = {
  address: '0x14dc79964da2c08b23698b3d3cc7ca32193d9955',
  privateKey: '0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356',
} as const;

/** As in `contracts/addresses/local.yaml`. */
export const linkToken = '0x7ef8e99980da5bcedcf7c10f41e55f759f6a174b';
export const operator = '0x82b769500e34362a76df81150e12c746093d954f';
export const priceConsumer = '0x77c7e3905c21177be97956c6620567596492c497';
/** What the example flow `eth-usd-feed` publishes to. */
export const priceFeed = '0x3200b3e272007a8685b0c66c84eb4c03e7e29ed1';

/** Jobs of the example flows: a UUID by its digits, and a name, both as words of text. */
export const priceJob = textWord('6c3f7a520f1e4f0b9d535a1b7c9e2d40');
export const amountJob = textWord('opportunity-amount');

const oneLink = 10n ** 18n;
const payment = oneLink / 10n;
const consumerFunds = 1_000n * oneLink;
const askedTopic = '0x7b5833e57c1a80caa5470d1b7144657437910b4dc18a59065b7c3d07e146cda9';

/** A question that a contract has asked its oracle. */
export interface Asked {
  readonly id: string;
  readonly consumer: string;
  readonly transactionHash: string;
}

export interface Answered {
  /** A whole number as text; undefined while nothing has come. */
  readonly answer: string | undefined;
}

/** An oracle, the token that pays it, a consumer with something to pay, and a feed, as far as the chain lacks them. */
export async function deployDemoOracle(rpc: Rpc): Promise<void> {
  await deployOperator(rpc);
  await deployAt(rpc, 'PriceFeed', priceFeed, { from: owner, args: feedArguments() });
}

async function deployOperator(rpc: Rpc): Promise<void> {
  if ((await isDeployed(rpc, priceConsumer)) && (await balanceOf(rpc, linkToken, priceConsumer)) > 0n) return;
  await deployAt(rpc, 'LinkToken', linkToken, { from: owner });
  await deployAt(rpc, 'Operator', operator, { from: owner, args: word(linkToken) + word(owner) });
  await deployAt(rpc, 'PriceConsumer', priceConsumer, {
    from: owner,
    args: word(linkToken) + word(operator) + word(priceJob) + numberWord(payment),
  });
  await transact(rpc, { from: owner, to: linkToken, data: `0xc2e3273d${word(owner)}` });
  const senders = numberWord(32n) + numberWord(1n) + word(oracleSigner.address);
  await transact(rpc, { from: owner, to: operator, data: `0xee56997b${senders}` });
  await transact(rpc, {
    from: owner,
    to: linkToken,
    data: `0x40c10f19${word(priceConsumer)}${numberWord(consumerFunds)}`,
  });
}

/** 8 decimals, between 1 and a million dollars, one report of at most five minutes makes an answer. */
function feedArguments(): string {
  const name = textTail('ETH / USD');
  const offsets = [7n * 32n, 7n * 32n + BigInt(name.length / 2)] as const;
  const [least, most] = [10n ** 8n, 10n ** 14n];
  const head = [8n, offsets[0], least, most, 1n, 300n, offsets[1]].map(numberWord).join('');
  return head + name + numberWord(1n) + word(oracleSigner.address);
}

/** Lets the consumer ask what a pair costs. */
export function askPrice(rpc: Rpc, pair: string): Promise<Asked> {
  return ask(rpc, `0xd4fe6bd0${numberWord(32n)}${textTail(pair)}`);
}

/** Lets the consumer ask for the amount of an opportunity in Salesforce. */
export function askAmount(rpc: Rpc, opportunity: string): Promise<Asked> {
  const key = textTail('opportunity');
  const offsets = numberWord(96n) + numberWord(96n + BigInt(key.length / 2));
  return ask(rpc, `0x3117d6bb${word(amountJob)}${offsets}${key}${textTail(opportunity)}`);
}

export async function answerTo(rpc: Rpc, id: string): Promise<Answered> {
  const said = await rpc<string>('eth_call', { to: priceConsumer, data: `0xd4a55711${word(id)}` }, 'latest');
  const [, answeredAt = '0', answer = '0'] = said.slice(2).match(/.{64}/g) ?? [];
  return { answer: BigInt(`0x${answeredAt}`) === 0n ? undefined : BigInt(`0x${answer}`).toString() };
}

async function ask(rpc: Rpc, data: string): Promise<Asked> {
  const transactionHash = await transact(rpc, { from: payer, to: priceConsumer, data });
  const { logs } = await rpc<{ readonly logs: readonly { readonly topics: readonly string[] }[] }>(
    'eth_getTransactionReceipt',
    transactionHash,
  );
  const id = logs.find(({ topics }) => topics[0] === askedTopic)?.topics[1];
  if (id === undefined) throw new Error(`The consumer asked nothing in ${transactionHash}`);
  return { id, consumer: priceConsumer, transactionHash };
}

function textWord(text: string): string {
  return `0x${Buffer.from(text, 'ascii').toString('hex').padEnd(64, '0')}`;
}

/** Length and bytes, as calls carry text. */
function textTail(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('hex');
  return numberWord(BigInt(bytes.length / 2)) + bytes.padEnd(Math.ceil(bytes.length / 64) * 64, '0');
}
