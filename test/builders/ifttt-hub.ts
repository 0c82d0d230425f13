import { randomUUID } from 'node:crypto';
import { startDevChain, type DevChain } from '../../sandbox/chain/dev-chain.js';
import { deployDemoContracts, sendTransfer, treasury } from '../../sandbox/chain/demo-contracts.js';
import { IftttStandIn } from '../../sandbox/ifttt/ifttt.js';
import type { Hub } from '../../src/hub.js';
import { silentLog } from '../environment/silent-log.js';
import { LocalHub, type HubAnswer } from './local-hub.js';
import { startStandIn, type StandInServer } from './stand-in-server.js';

export const serviceKey = 'service-key-of-a-test';

/** A whole hub in this process that is a service of IFTTT, beside its stand-in and a chain. */
export class IftttHub {
  private constructor(
    readonly chain: DevChain,
    readonly standIn: IftttStandIn,
    /** Faults and requests of the stand-in. */
    readonly standInServer: StandInServer,
    private readonly hub: LocalHub,
  ) {}

  static async start(options: {
    readonly flows: Readonly<Record<string, string>>;
    /** Further settings of the connection, as lines of YAML. */
    readonly settings?: string;
    /** False: the hub has no connection to IFTTT. */
    readonly isConfigured?: boolean;
  }): Promise<IftttHub> {
    const standIn = new IftttStandIn({ makerKey: 'maker-key', serviceKey, retryAfterMs: [50, 50, 50] });
    const [hub, chain, server] = await Promise.all([
      LocalHub.create({ env: { PATCHBAY_PUBLIC_URL: 'https://hub.example' } }),
      startDevChain({ port: 0, blockTimeSeconds: 1, stateFile: undefined, log: silentLog }),
      startStandIn(standIn),
    ]);
    await deployDemoContracts(chain.rpc);
    const started = new IftttHub(chain, standIn, server, hub);
    await hub.writeFlows(options.flows);
    await hub.writeConfiguration(configuration({ ...options, chainUrl: chain.url, iftttUrl: server.url }));
    await started.boot();
    return started;
  }

  /** Starts the hub again after {@link halt}, with everything it kept. */
  async boot(): Promise<void> {
    await this.hub.boot();
    this.standIn.connect(this.url);
  }

  /** Moves USDC. @returns the hash of the transaction */
  transfer(amount: number, to: string): Promise<string> {
    return sendTransfer(this.chain.rpc, { to, value: BigInt(amount) * 1_000_000n });
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

  /** As IFTTT calls, with the service key unless told otherwise; a body that is text is sent as it is. */
  ifttt(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HubAnswer> {
    return this.ask(method, `/ifttt/v1${path}`, body, {
      'ifttt-service-key': serviceKey,
      'x-request-id': randomUUID().replaceAll('-', ''),
      'content-type': 'application/json',
      ...headers,
    });
  }

  /** As whoever runs the hub. */
  api(method: string, path: string, body?: unknown): Promise<HubAnswer> {
    return this.hub.ask(method, path, body);
  }

  /** @param headers – those that are empty are left out */
  ask(method: string, path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<HubAnswer> {
    const given = Object.entries(headers).filter(([, value]) => value !== '');
    return this.hub.send(method, path, body, Object.fromEntries(given));
  }

  async close(): Promise<void> {
    await this.halt();
    this.standIn.stop();
    await this.standInServer.stop();
    await this.chain.stop();
    await this.hub.close();
  }
}

function configuration(wish: {
  readonly settings?: string;
  readonly isConfigured?: boolean;
  readonly chainUrl: string;
  readonly iftttUrl: string;
}): string {
  const { settings = '', isConfigured = true, chainUrl, iftttUrl } = wish;
  const connection = `
connections:
  ifttt:
    connector: ifttt
    serviceKey: ${serviceKey}
    realtimeUrl: ${iftttUrl}
${settings}`;
  return `
networks:
  local: { rpcUrl: '${chainUrl}', chainId: 31337, confirmations: 0, revertedAfter: 5 }
signers:
  treasury: { privateKey: '${treasury.privateKey}' }
${isConfigured ? connection : ''}`;
}
