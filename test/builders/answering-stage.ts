import { compileLogDecoder } from '#evm';
import { oracleRequest } from '../../connectors/oracle/operator-abi.js';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { startLentNetwork, type LentNetwork } from './lent-network.js';
import { startOracleStage, type Deployed, type MinedTransaction, type OracleStage } from './oracle-stage.js';

/** Oracles on a chain, and `oracle-key`, which may answer for them. */
export interface AnsweringStage extends LentNetwork {
  readonly contracts: OracleStage;
  /** What a consumer has under the id of a request, and how often it was answered. */
  kept(request: Pick<Asked, 'id'>, consumer?: Deployed): Promise<{ readonly data: string; readonly times: string }>;
}

export async function startAnsweringStage({
  withOldOracle = false,
  lent = {},
}: {
  readonly withOldOracle?: boolean;
  readonly lent?: Readonly<Record<string, unknown>>;
} = {}): Promise<AnsweringStage> {
  const network = await startLentNetwork({ signers: { 'oracle-key': devAccounts[1].key }, lent });
  const contracts = await startOracleStage(network.chain, { withOldOracle });
  return {
    ...network,
    contracts,
    async kept({ id }, consumer = contracts.consumer) {
      const [data, times] = await Promise.all([
        contracts.read(consumer, 'answers', [id]),
        contracts.read(consumer, 'timesAnswered', [id]),
      ]);
      return { data: String(Object.values(data)[0]), times: String(Object.values(times)[0]) };
    },
  };
}

/** A request as `oracle.request` gives it to the flow. */
export interface Asked {
  readonly id: string;
  readonly oracle: string;
  readonly expiration: string;
  readonly [field: string]: unknown;
}

const decoder = compileLogDecoder(oracleRequest);

export function requestsOf({ hash, blockNumber, logs }: MinedTransaction): Asked[] {
  return logs
    .filter(({ topics }) => topics[0] === decoder.topic)
    .map((log) => {
      const { args } = decoder.decode(log);
      return {
        id: String(args['requestId']),
        oracle: log.address.toLowerCase(),
        chainId: DevChain.chainId,
        specId: args['specId'],
        requester: args['requester'],
        payment: args['payment'],
        callbackAddress: args['callbackAddr'],
        callbackFunctionId: args['callbackFunctionId'],
        expiration: String(args['cancelExpiration']),
        dataVersion: Number(args['dataVersion']),
        data: args['data'],
        blockNumber,
        blockHash: `0x${'0'.repeat(64)}`,
        transactionHash: hash,
        raw: { topics: log.topics, data: log.data },
      };
    });
}
