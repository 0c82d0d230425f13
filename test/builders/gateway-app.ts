import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { Catalog } from '#catalog';
import { ConnectionTroubles, ConnectionsService, ConnectionsStore, readConfigurationFile } from '#connections';
import { contractDirectory, gatewayCalls, interfaceDirectory, type Network } from '#evm';
import { FlowsService, FlowsStore } from '#flows';
import {
  ContractCallsController,
  ContractDocsController,
  ContractsController,
  InterfacesController,
  gatewayServices,
  type GatewayServices,
} from '#gateway';
import { NetworksService } from '#networks';
import {
  ApiKeys,
  PlatformModule,
  Readiness,
  Signals,
  createHttpApp,
  createHttpClient,
  createLeases,
  createLog,
  createMetrics,
  createVault,
  joinInstances,
  parseEgress,
  type Store,
} from '#platform';
import { chainServices } from '#transactions';
import { builtInConnectors } from '../../connectors/index.js';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { openTestStore } from '../environment/postgres.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** The gateway on a development chain of its own, with the signer `treasury` and a key for everything. */
export class GatewayApp {
  private constructor(
    readonly url: string,
    readonly key: string,
    readonly chain: DevChain,
    readonly store: Store,
    readonly services: GatewayServices,
    readonly flows: FlowsService,
    readonly keys: ApiKeys,
    readonly network: Network,
    private readonly folder: string,
    readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<GatewayApp> {
    const log = createLog({ level: 'silent', format: 'json' });
    const [chain, store] = await Promise.all([DevChain.start(), openTestStore()]);
    const folder = await mkdtemp(join(tmpdir(), 'patchbay-gateway-'));
    await mkdir(join(folder, 'flows'));
    const configuration = `
networks:
  local: { rpcUrl: '${chain.url}', chainId: ${DevChain.chainId}, addressBook: '${join(folder, 'local.yaml')}', default: true }
signers:
  treasury: { privateKey: '${devAccounts[0].key}' }
`;
    await writeFile(join(folder, 'patchbay.yaml'), configuration);
    const declared = await readConfigurationFile(join(folder, 'patchbay.yaml'), {});
    const instance = await joinInstances(store, { name: 'spec', roles: ['api'], log });
    const leases = createLeases(store, instance, log);
    const signals = new Signals({ connection: store.connection, pool: store.pool, name: instance.id, log });
    await signals.start();
    const http = createHttpClient({ egress: parseEgress(['127.0.0.1:1-65535']), log });
    const catalog = new Catalog(builtInConnectors);
    const lent = chainServices({
      db: store.db,
      declared,
      http,
      signals,
      leases,
      log,
      networkName: (chainId) => networks.findName(chainId),
      addressOf: (chainId, contract) => networks.findAddress(chainId, contract),
    });
    const connections = new ConnectionsService({
      catalog,
      declared: declared.connections,
      troubles: new ConnectionTroubles(store.db),
      store: new ConnectionsStore(store.db, createVault(Buffer.alloc(32, 1))),
      http,
      log,
      use: lent.use,
    });
    await connections.load();
    const networks = new NetworksService(connections, catalog);
    const flows = new FlowsService({
      folder: join(folder, 'flows'),
      vocabulary: catalog,
      connections: () => connections.names(),
      env: {},
      store: new FlowsStore(store.db),
      log,
    });
    await flows.start();
    const publicUrl = 'http://hub.example';
    const services = gatewayServices({ db: store.db, signals, networks, signers: lent.signers, flows, log, publicUrl });
    lent.lend(contractDirectory, services.registered);
    lent.lend(interfaceDirectory, services.deployments);
    lent.lend(gatewayCalls, services.feed);
    const network = await networks.get();
    network.startSending();

    const keys = new ApiKeys(store.db);
    const { key } = await keys.create({ name: 'spec', scopes: ['admin'] });
    const platform = { db: store.db, keys, metrics: createMetrics(), readiness: new Readiness(store.db), publicUrl };
    const { interfaces, uploads, contracts, calls, deployments, openApi } = services;
    class Root {}
    Module({
      imports: [PlatformModule.with(platform)],
      controllers: [ContractCallsController, ContractDocsController, ContractsController, InterfacesController],
      providers: [interfaces, uploads, contracts, calls, deployments, openApi].map((service) => ({
        provide: service.constructor,
        useValue: service,
      })),
    })(Root);
    const app = await createHttpApp(Root, { publicUrl, log });
    await app.listen(0, '127.0.0.1');
    return new GatewayApp(await app.getUrl(), key, chain, store, services, flows, keys, network, folder, async () => {
      await app.close();
      await services.close();
      await flows.stop();
      await connections.close();
      http.agents.http.destroy();
      http.agents.https.destroy();
      await lent.signers.close();
      await signals.close();
      await leases.close();
      await instance.leave();
      await store.close();
      await chain.stop();
      await rm(folder, { recursive: true });
    });
  }

  async writeFlow(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, 'flows', name), text);
    await this.flows.reload();
  }

  async ask(
    method: string,
    path: string,
    body?: unknown,
    { key = this.key, ...headers }: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const isForm = body instanceof FormData;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : { text }) as Record<string, unknown>,
    };
  }

  /** Uploads Solidity as a form. */
  upload(
    files: Readonly<Record<string, string | Buffer>>,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const form = new FormData();
    for (const [name, content] of Object.entries(files)) {
      form.append('files', new Blob([new Uint8Array(Buffer.from(content))]), name);
    }
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return this.ask('POST', '/api/interfaces', form);
  }
}
