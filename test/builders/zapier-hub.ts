import { startDevChain, type DevChain } from '../../sandbox/chain/dev-chain.js';
import { deployDemoContracts, sendTransfer, treasury } from '../../sandbox/chain/demo-contracts.js';
import { createZapierHooks, type ZapierStandIn } from '../../sandbox/zapier/hooks.js';
import { devAccounts } from '../../src/evm/testing/dev-chain.js';
import type { Hub } from '../../src/hub.js';
import { silentLog } from '../environment/silent-log.js';
import { LocalHub } from './local-hub.js';
import { startStandIn, type StandInServer } from './stand-in-server.js';

/** A whole hub in this process, a chain, and Zapier as the sandbox plays it. */
export class ZapierHub {
  private constructor(
    readonly chain: DevChain,
    readonly zapier: ZapierStandIn,
    readonly server: StandInServer,
    private readonly hub: LocalHub,
  ) {}

  static async start(flows: Readonly<Record<string, string>>): Promise<ZapierHub> {
    const zapier = createZapierHooks();
    const [hub, chain, server] = await Promise.all([
      LocalHub.create({ env: { PATCHBAY_PUBLIC_URL: 'https://hub.example' } }),
      startDevChain({ port: 0, blockTimeSeconds: 1, stateFile: undefined, log: silentLog }),
      startStandIn(zapier),
    ]);
    await deployDemoContracts(chain.rpc);
    await hub.writeFlows(flows);
    await hub.writeConfiguration(`
networks:
  local: { rpcUrl: '${chain.url}', chainId: 31337, confirmations: 1, revertedAfter: 5, default: true }
signers:
  treasury: { privateKey: '${treasury.privateKey}' }
  visitor: { privateKey: '${devAccounts[1].key}' }
`);
    await hub.boot();
    return new ZapierHub(chain, zapier, server, hub);
  }

  boot(): Promise<void> {
    return this.hub.boot();
  }

  halt(): Promise<void> {
    return this.hub.halt();
  }

  get url(): string {
    return this.hub.url;
  }

  get flows(): Hub['flows'] {
    return this.hub.flows;
  }

  /** A key as a user of Zapier gets it. */
  makeKey(scopes: readonly string[] = ['zapier:use']): Promise<string> {
    return this.hub.makeKey('zapier', scopes);
  }

  /** Moves USDC. @returns the hash of the transaction */
  transfer(amount: number, to: string): Promise<string> {
    return sendTransfer(this.chain.rpc, { to, value: BigInt(amount) * 1_000_000n });
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<{ status: number; type: string; body: Record<string, unknown> }> {
    const { status, headers, body: answered } = await this.hub.ask(method, path, body, key);
    return { status, type: headers.get('content-type') ?? '', body: answered as Record<string, unknown> };
  }

  async close(): Promise<void> {
    await this.hub.halt();
    await this.server.stop();
    await this.chain.stop();
    await this.hub.close();
  }
}
