import { decodeOutputs, encodeCall, encodeDeploy, getFragment, type Abi } from '#evm';
import { type DevChain, devAccounts, type Receipt } from '../../src/evm/testing/dev-chain.js';
import {
  compileChainlink,
  compileOldOracle,
  compileOracleConsumer,
  pick,
  type Artefact,
} from '../../connectors/oracle/testing/chainlink-contracts.js';

export interface Deployed {
  /** Lower case. */
  readonly address: string;
  readonly abi: Abi;
}

export interface OracleStage {
  readonly link: Deployed;
  readonly operator: Deployed;
  /** Oracle of 0.6; only when it was asked for. */
  readonly oldOracle: Deployed | undefined;
  /** Asks the operator, and has 1,000 LINK. */
  readonly consumer: Deployed;
  /** Asks the old oracle. */
  readonly oldConsumer: Deployed | undefined;
  deploy(artefact: Artefact, args?: readonly unknown[]): Promise<Deployed>;
  /** Sends from the first account of the chain and waits until it is mined. @throws when it reverts */
  send(contract: Deployed, name: string, args: readonly unknown[]): Promise<MinedTransaction>;
  read(contract: Deployed, name: string, args?: readonly unknown[]): Promise<Record<string, unknown>>;
  /** An amount of LINK in juels for whoever wants to ask. */
  fund(address: string, juels?: bigint): Promise<void>;
}

export interface MinedTransaction {
  readonly hash: string;
  readonly blockNumber: number;
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[];
}

export interface StageOptions {
  /** May answer at once. Default: the second account of the chain. */
  readonly senders?: readonly string[];
  readonly withOldOracle?: boolean;
}

const oneLink = 10n ** 18n;

/** Real contracts on a chain: LINK, an operator with its senders, and a consumer that can pay. */
export async function startOracleStage(
  chain: DevChain,
  { senders = [devAccounts[1].address], withOldOracle = false }: StageOptions = {},
): Promise<OracleStage> {
  const owner = devAccounts[0].address;
  const [chainlink, consumerCode] = [await compileChainlink(), await compileOracleConsumer()];

  const mined = async (transaction: Readonly<Record<string, unknown>>): Promise<Receipt> => {
    const hash = await chain.send({ gas: '0x1c9c380', ...transaction });
    const receipt = await chain.receipt(hash);
    if (receipt.status !== '0x1') throw new Error(`The transaction ${hash} was reverted`);
    return receipt;
  };
  const deploy: OracleStage['deploy'] = async ({ abi, bytecode }, args = []) => {
    const { contractAddress } = await mined({ data: encodeDeploy(abi, bytecode, args) });
    return { abi, address: String(contractAddress).toLowerCase() };
  };
  const send: OracleStage['send'] = async ({ address, abi }, name, args) => {
    const data = encodeCall(getFragment(abi, 'function', name), args);
    const { transactionHash, blockNumber, logs } = await mined({ to: address, data });
    return { hash: transactionHash, blockNumber: Number(blockNumber), logs };
  };
  const read: OracleStage['read'] = async ({ address, abi }, name, args = []) => {
    const fragment = getFragment(abi, 'function', name);
    const call = { to: address, data: encodeCall(fragment, args) };
    return decodeOutputs(fragment, await chain.call<string>('eth_call', [call, 'latest']));
  };

  const link = await deploy(pick(chainlink, 'LinkToken'));
  await send(link, 'grantMintRole', [owner]);
  const fund: OracleStage['fund'] = async (address, juels = 1_000n * oneLink) => {
    await send(link, 'mint', [address, juels.toString()]);
  };
  const operator = await deploy(pick(chainlink, 'Operator'), [link.address, owner]);
  await send(operator, 'setAuthorizedSenders', [senders]);
  const consumer = await deploy(consumerCode, [link.address, operator.address]);
  await fund(consumer.address);

  let oldOracle: Deployed | undefined;
  let oldConsumer: Deployed | undefined;
  if (withOldOracle) {
    oldOracle = await deploy(await compileOldOracle(), [link.address]);
    for (const sender of senders) await send(oldOracle, 'setFulfillmentPermission', [sender, true]);
    oldConsumer = await deploy(consumerCode, [link.address, oldOracle.address]);
    await fund(oldConsumer.address);
  }
  return { link, operator, oldOracle, consumer, oldConsumer, deploy, send, read, fund };
}
