import { join } from 'node:path';
import { Activity } from './activity.js';
import { createAwsStandIn, type AwsStandIn } from './aws/stand-in.js';
import { startDevChain, type DevChain } from './chain/dev-chain.js';
import { chainId, custodian, deployDemoContracts, treasury } from './chain/demo-contracts.js';
import { deployDemoOracle, oracleSigner } from './chain/demo-oracle.js';
import { createControl } from './control.js';
import { Demo, recipients } from './demo.js';
import { Faults } from './faults.js';
import { createEcho } from './http/echo.js';
import { IftttStandIn } from './ifttt/ifttt.js';
import type { SandboxLog } from './log.js';
import { PricesStandIn } from './prices/prices.js';
import { ReceivedLog } from './received.js';
import {
  createSalesforceStandIn,
  sandboxApp,
  sandboxFields,
  sandboxSeed,
  type SalesforceStandIn,
  type SeedRecord,
} from './salesforce/index.js';
import { createSandboxServer, listen, type Route } from './server.js';
import { createSigner } from './signer/signer.js';
import { Sinks } from './sink.js';
import { createZapierHooks } from './zapier/hooks.js';

export interface SandboxOptions {
  /** The next free port is taken if it is busy; 0 takes any. Default 3100. */
  readonly port?: number;
  /** Of the development chain. Default 8545. */
  readonly chainPort?: number;
  /** Default 2. */
  readonly blockTimeSeconds?: number;
  /** Keeps the chain and the Salesforce org across restarts. Absent: they begin anew. */
  readonly dataDir?: string;
  /** Whether things begin to happen by themselves. Default: not until they are told to. */
  readonly activity?: boolean;
  readonly activityEveryMs?: number;
  readonly log: SandboxLog;
}

export interface Sandbox {
  readonly url: string;
  readonly chain: DevChain;
  readonly salesforce: SalesforceStandIn;
  readonly aws: AwsStandIn;
  readonly ifttt: IftttStandIn;
  readonly prices: PricesStandIn;
  readonly faults: Faults;
  readonly received: ReceivedLog;
  readonly sinks: Sinks;
  readonly demo: Demo;
  readonly activity: Activity;
  /** The variables that `patchbay.yaml` refers to, and the hub's permission to call exactly these ports. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Public like the keys of the chain's accounts: they open nothing but a sandbox. */
const awsKey = { accessKeyId: 'AKIASANDBOX', secretAccessKey: 'sandbox-aws-secret' };
const makerKey = 'sandbox-maker-key';
const iftttServiceKey = 'sandbox-ifttt-service-key';
const webhookSecret = `whsec_${Buffer.from('patchbay-sandbox-webhook-secret!').toString('base64')}`;

/** Starts the outside world of the quick start and the tests: the stand-ins on one port, the development chain on another. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { port = 3100, chainPort = 8545, blockTimeSeconds = 2, dataDir, activityEveryMs = 6_000, log } = options;
  const chain = await startDevChain({
    port: chainPort,
    blockTimeSeconds,
    stateFile: dataDir === undefined ? undefined : join(dataDir, 'chain.json'),
    log,
  });
  try {
    await Promise.all([deployDemoContracts(chain.rpc), deployDemoOracle(chain.rpc)]);
    const salesforce = createSalesforceStandIn({
      basePath: '/salesforce',
      seed: [...sandboxSeed, ...contactsOf(recipients)],
      customFields: sandboxFields,
      // A sandbox that runs for days is not to stand still because of the quota of a developer edition.
      dailyRequests: 1_000_000,
      ...(dataDir !== undefined && { snapshotFile: join(dataDir, 'salesforce.json') }),
    });
    const aws = createAwsStandIn({ credentials: awsKey, functions: ['settlements'], streams: ['settlements'] });
    const ifttt = new IftttStandIn({
      makerKey,
      serviceKey: iftttServiceKey,
      onFired: (applet, { ingredients }) => log.info('An Applet fired', { applet, ...ingredients }),
    });
    const prices = new PricesStandIn();
    const demo = new Demo(chain.rpc, salesforce, () => new Date());
    const activity = new Activity({ demo, everyMs: activityEveryMs, random: Math.random, log });
    const faults = new Faults();
    const received = new ReceivedLog();
    const sinks = new Sinks();
    const server = createSandboxServer({
      standIns: [
        ifttt,
        createZapierHooks(),
        createEcho(),
        aws,
        prices,
        createSigner({ privateKeys: [custodian.privateKey], chainId }),
      ],
      routes: [
        sinkRoute(sinks),
        salesforceRoute(salesforce),
        createControl({ faults, received, salesforce, aws, ifttt, prices, demo, activity }),
      ],
      faults,
      received,
    });
    const serverPort = await listen(server, port);
    const url = `http://127.0.0.1:${serverPort}`;
    if (options.activity === true) activity.start();
    return {
      url,
      chain,
      salesforce,
      aws,
      ifttt,
      prices,
      faults,
      received,
      sinks,
      demo,
      activity,
      env: environment(url, chain),
      async stop() {
        activity.stop();
        ifttt.stop();
        await salesforce.close();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await chain.stop();
      },
    };
  } catch (error) {
    await chain.stop();
    throw error;
  }
}

function environment(url: string, chain: DevChain): Record<string, string> {
  return {
    SANDBOX_CHAIN_URL: chain.url,
    SANDBOX_CHAIN_WS_URL: chain.wsUrl,
    SANDBOX_TREASURY_KEY: treasury.privateKey,
    SANDBOX_ORACLE_KEY: oracleSigner.privateKey,
    SANDBOX_SIGNER_URL: `${url}/signer`,
    SANDBOX_SALESFORCE_URL: `${url}/salesforce`,
    SANDBOX_SALESFORCE_CLIENT_ID: sandboxApp.clientId,
    SANDBOX_SALESFORCE_SECRET: sandboxApp.clientSecret ?? '',
    SANDBOX_IFTTT_URL: `${url}/ifttt`,
    SANDBOX_MAKER_KEY: makerKey,
    SANDBOX_IFTTT_SERVICE_KEY: iftttServiceKey,
    SANDBOX_ZAPIER_HOOK: `${url}/zapier/hooks/catch/1001/treasury/`,
    SANDBOX_HTTP_URL: `${url}/http`,
    SANDBOX_WEBHOOK_URL: `${url}/http/crm`,
    SANDBOX_WEBHOOK_SECRET: webhookSecret,
    SANDBOX_PRICES_URL: `${url}/prices`,
    SANDBOX_AWS_URL: `${url}/aws`,
    SANDBOX_AWS_ACCESS_KEY_ID: awsKey.accessKeyId,
    SANDBOX_AWS_SECRET_ACCESS_KEY: awsKey.secretAccessKey,
    PATCHBAY_EGRESS_ALLOW: `${new URL(url).host},${new URL(chain.url).host}`,
  };
}

/** A contact for everybody who may be paid: an upsert by wallet finds them. */
function contactsOf(wallets: readonly string[]): SeedRecord[] {
  const names = ['Ada', 'Blaise', 'Carl', 'Dorothy', 'Emmy'];
  return wallets.map((wallet, index) => ({
    object: 'Contact',
    fields: { FirstName: names[index] ?? 'Somebody', LastName: 'Example', Wallet__c: wallet },
  }));
}

function sinkRoute(sinks: Sinks): Route {
  return (request, response, path) => {
    if (!path.startsWith('/sink/')) return false;
    sinks.handle(request, response);
    return true;
  };
}

function salesforceRoute(salesforce: SalesforceStandIn): Route {
  return (request, response, path) => {
    // jsforce addresses the Bulk API at the root of the host, whatever path the address of the org has.
    if (!path.startsWith('/salesforce/') && !path.startsWith('/services/data/')) return false;
    salesforce.handle(request, response);
    return true;
  };
}
