import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { startOracleStage, type OracleStage } from './oracle-stage.js';

export interface OracleHubOptions {
  /** File name to YAML; the contracts are there already. */
  readonly flows: (stage: OracleStage) => Readonly<Record<string, string>>;
  /** Settings of the network, as YAML. */
  readonly network?: string;
  readonly chainOptions?: readonly string[];
}

/** A hub in a process of its own with an oracle, whose connection is called `my-oracle`, and all that it needs. */
export class OracleHub {
  private constructor(
    readonly chain: DevChain,
    readonly stage: OracleStage,
    readonly database: TestDatabase,
    readonly hub: HubProcess,
  ) {}

  /** Resolves when requests are heard. */
  static async start({ flows, network = 'confirmations: 0', chainOptions = [] }: OracleHubOptions): Promise<OracleHub> {
    const [chain, database] = await Promise.all([DevChain.start(chainOptions), createTestDatabase()]);
    const stage = await startOracleStage(chain);
    const hub = await HubProcess.create({
      databaseUrl: database.url,
      flows: flows(stage),
      env: { ORACLE_KEY: devAccounts[1].key },
      configuration: `
networks:
  local: { rpcUrl: "${chain.url}", chainId: 31337, ${network} }
signers:
  oracle-key: { privateKey: { env: ORACLE_KEY } }
connections:
  my-oracle: { connector: oracle, network: local, contract: "${stage.operator.address}", signer: oracle-key }
`,
    });
    const started = new OracleHub(chain, stage, database, hub);
    try {
      await hub.start();
      await hub.untilListening();
      return started;
    } catch (error) {
      await started.remove();
      throw error;
    }
  }

  async remove(): Promise<void> {
    await this.hub.remove();
    await this.chain.stop();
    await this.database.drop();
  }
}
