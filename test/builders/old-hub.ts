import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { aZip } from '../../src/gateway/compile/testing/packing.js';
import { HubProcess } from '../environment/hub-process.js';
import { createTestDatabase, type TestDatabase } from '../environment/postgres.js';
import { Target } from '../environment/target.js';
import { escrow, owned } from './escrow-contract.js';
import { OldClient, type OldAnswer } from './old-client.js';

export interface OldEvent {
  readonly subId: string;
  readonly signature: string;
  readonly data: Readonly<Record<string, string>>;
}

/** The built hub as a client of the older gateway uses it, which has uploaded a contract and deployed it as `escrow-eu`. */
export class OldHub {
  private constructor(
    private readonly database: TestDatabase,
    readonly chain: DevChain,
    readonly target: Target,
    private readonly hub: HubProcess,
    readonly client: OldClient,
    readonly uploaded: OldAnswer,
    readonly deployed: OldAnswer,
  ) {}

  static async start(): Promise<OldHub> {
    const [database, chain, target] = await Promise.all([createTestDatabase(), DevChain.start(), Target.start()]);
    const hub = await HubProcess.create({
      databaseUrl: database.url,
      flows: {},
      configuration: `
networks: { local: { rpcUrl: '${chain.url}', chainId: 31337, addressBook: '/nowhere/book.yaml' } }
signers: { treasury: { privateKey: '${devAccounts[0].key}' } }
`,
    });
    await hub.start();
    const client = new OldClient(hub.url, hub.key);
    const form = new FormData();
    const zip = aZip([
      { name: 'Escrow.sol', content: escrow },
      { name: 'lib/Owned.sol', content: owned },
    ]);
    form.append('file', new Blob([new Uint8Array(zip)]), 'escrow.zip');
    const uploaded = await client.ask('POST', '/abis?contract=Escrow.sol:Escrow', form);
    const path = `/abis/${String(uploaded.body.id)}?kld-from=treasury&kld-sync=true&kld-register=escrow-eu`;
    const deployed = await client.ask('POST', path, { fee_: '5' });
    return new OldHub(database, chain, target, hub, client, uploaded, deployed);
  }

  /** Of the escrow. */
  get address(): string {
    return String(this.deployed.body.contractAddress);
  }

  get url(): string {
    return this.hub.url;
  }

  get key(): string {
    return this.hub.key;
  }

  open(orderId: number): Promise<OldAnswer> {
    return this.client.ask('POST', '/contracts/escrow-eu/open?fly-from=treasury&fly-sync', { orderId });
  }

  settle(orderId: number, amount: number): Promise<OldAnswer> {
    const body = { orderId, buyer: devAccounts[1].address, amount };
    return this.client.ask('POST', '/contracts/escrow-eu/settle?fly-from=treasury&fly-sync', body);
  }

  /** What came to a path of the target. */
  eventsTo(path: string): OldEvent[] {
    return this.target.deliveries.filter((one) => one.path === path).flatMap(({ body }) => body as OldEvent[]);
  }

  async close(): Promise<void> {
    await this.hub.remove();
    await Promise.all([this.chain.stop(), this.target.stop()]);
    await this.database.drop();
  }
}
