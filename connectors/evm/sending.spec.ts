import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  contractDirectory,
  createKeySigner,
  interfaceDirectory,
  senderLeases,
  signerSource,
  transactionFeed,
  transactionSignals,
  transactionStore,
  type Abi,
  type InterfaceDirectory,
  type Network,
  type TransactionRecord,
  type TransactionSignals,
  type TransactionStatus,
} from '#evm';
import type { Store } from '#platform';
import { Secret, type Heard, type HttpClient, type ListenContext, type ServiceToken } from '#sdk';
import { KyselyTransactionFeed, KyselyTransactionStore } from '#transactions';
import { eventually } from '../../test/builders/eventually.js';
import { untilEnded } from '../../test/builders/lent-network.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { DevChain, artefact, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { silent } from '../../src/evm/testing/heard-logs.js';
import { network } from './connection.js';
import { deploy } from './deploy.action.js';
import { sendTransaction } from './send-transaction.action.js';
import { transactionStatus } from './transaction-status.trigger.js';

/** Words between the parts of this one process. */
class OneProcess implements TransactionSignals {
  readonly #listeners = new Set<() => void>();

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  on(_chainId: number, _what: string, listener: () => void): () => void {
    return this.onChange(listener);
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

const http: HttpClient = {
  request: () => Promise.reject(new Error('not used')),
  agents: { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) },
  assertAllowed: () => Promise.resolve(),
};
const registered: unknown[] = [];
/** `revert(0, 0)`. */
const revertsAlways = '0x60006000fd';
const recipient = `0x${'beef'.repeat(10)}`;

let chain: DevChain;
let store: Store;
let client: Network;
let use: <T>(token: ServiceToken<T>) => T;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  [chain, store] = await Promise.all([DevChain.start(), openTestStore()]);
  const signer = await createKeySigner('treasury', new Secret(devAccounts[0].key));
  const signals = new OneProcess();
  const interfaces: InterfaceDirectory = {
    find: async (name, version = 2) => {
      if (name === 'bare') return { name, version, abi: [], bytecode: undefined };
      const { abi, bytecode } = artefact('DemoToken');
      return name === 'token' ? { name, version, abi: abi as Abi, bytecode } : undefined;
    },
    register: async (contract) => void registered.push(contract),
  };
  const services = new Map<string, unknown>([
    [transactionStore.name, new KyselyTransactionStore(store.db)],
    [signerSource.name, { get: () => Promise.resolve(signer) }],
    [transactionSignals.name, signals],
    [
      senderLeases.name,
      { acquire: () => Promise.resolve({ signal: new AbortController().signal, release: async () => {} }) },
    ],
    [transactionFeed.name, new KyselyTransactionFeed(store.db, signals.onChange, () => 'local')],
    [contractDirectory.name, { find: () => Promise.resolve(undefined), names: () => Promise.resolve([]) }],
    [interfaceDirectory.name, interfaces],
  ]);
  use = <T>(token: ServiceToken<T>): T => {
    const service = services.get(token.name);
    if (service === undefined) throw new Error(`${token.name} is not bound`);
    return service as T;
  };
  client = await network.open(
    { rpcUrl: chain.url, chainId: DevChain.chainId },
    { name: 'local', http, log: silent, use },
  );
  client.startSending();
});

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await chain.call('evm_setAutomine', [true]);
});

afterAll(async () => {
  await client.close();
  http.agents.http.destroy();
  await chain.stop();
  await store.close();
});

let steps = 0;

function aStep(): object {
  steps += 1;
  return {
    client,
    idempotencyKey: `step-${String(steps)}`,
    flow: 'payments',
    signal: new AbortController().signal,
  };
}

type Sent = Awaited<ReturnType<typeof sendTransaction.run>>;

function mint(overrides: object = {}, step = aStep()): Promise<Sent> {
  const input = sendTransaction.input.parse({
    contract: 'usdc',
    function: 'mint',
    args: [recipient, '7'],
    from: 'treasury',
    ...overrides,
  });
  return Promise.resolve(sendTransaction.run({ ...step, input } as Parameters<typeof sendTransaction.run>[0]));
}

async function stored(transaction: string): Promise<TransactionRecord> {
  const [record] = await new KyselyTransactionStore(store.db).find([transaction]);
  return record!;
}

async function untilFillerIsSent(transaction: string): Promise<void> {
  await eventually(async () =>
    (await stored(transaction)).attempts.some(({ kind, sentAt }) => kind === 'filler' && sentAt),
  );
}

async function untilIn(status: TransactionStatus, transaction: string): Promise<void> {
  await eventually(async () => (await stored(transaction)).status === status, { what: `${transaction} ${status}` });
}

/** However long that takes: a step is done again until it is over. */
function minted(overrides: object = {}, step = aStep()): Promise<Sent> {
  return untilEnded(() => mint(overrides, step));
}

describe('evm.sendTransaction', () => {
  it('given a call, when it is sent, then it is confirmed, with its events and what it is about', async () => {
    const sent = await minted();

    expect(sendTransaction.output.parse(sent)).toMatchObject({
      status: 'confirmed',
      transactionHash: expect.stringMatching(/^0x/),
      blockNumber: expect.any(Number),
      events: [{ name: 'Transfer', args: { to: recipient, value: '7' } }],
    });
    const row = await store.db
      .selectFrom('chain_transaction')
      .select(['about', 'origin', 'signer'])
      .where('id', '=', sent.transaction)
      .executeTakeFirst();
    expect(row).toEqual({
      about: { contract: 'usdc', function: 'mint(address,uint256)', args: [recipient, '7'] },
      origin: 'flow:payments',
      signer: 'treasury',
    });
  });

  it('given a step, when it is done again, then it is the same transaction', async () => {
    const step = aStep();
    expect(await minted({}, step)).toEqual(await minted({}, step));
  });

  it('given wait: accepted or mined, when blocks do not come, then the step waits for as much and no more', async () => {
    await chain.call('evm_setAutomine', [false]);
    const accepted = await mint({ wait: 'accepted' });
    expect(accepted.status).not.toBe('confirmed');
    expect(accepted.blockNumber).toBeUndefined();

    const step = aStep();
    await expect(mint({ wait: 'mined', confirmations: 5 }, step)).rejects.toMatchObject({ code: 'evm.pending' });
    const { transaction } = await mint({ wait: 'accepted', confirmations: 5 }, step);
    await untilIn('broadcast', transaction);
    await chain.mine();
    const mined = await minted({ wait: 'mined', confirmations: 5 }, step);
    expect(mined).toMatchObject({ status: 'mined', events: [{ name: 'Transfer' }] });
    await expect(mint({ confirmations: 5 }, step)).rejects.toMatchObject({ code: 'evm.pending' });
    await chain.mine(5);
    expect(await minted({ confirmations: 5 }, step)).toMatchObject({ status: 'confirmed' });
  });

  it('given a fee, when it is sent, then that is paid', async () => {
    const { transaction } = await minted({ fee: { max: '30000000000', tip: '2' } });
    const row = await store.db
      .selectFrom('chain_transaction_attempt')
      .select(['max_fee', 'tip'])
      .where('transaction_id', '=', transaction)
      .executeTakeFirst();
    expect(row).toEqual({ max_fee: '30000000000', tip: '2' });
  });

  it('given a call that the contract refuses, when it is sent, then the reason is told and nothing is stored', async () => {
    const step = aStep();
    const burn = { function: 'transfer', args: [`0x${'0'.repeat(40)}`, '1'] };
    await expect(mint(burn, step)).rejects.toMatchObject({
      code: 'evm.reverted',
      detail: expect.stringContaining('transfer to the zero address'),
    });
  });

  it('given a call that is refused only in its block, when it is waited for, then it has failed once that is final', async () => {
    await chain.call('evm_setAutomine', [false]);
    const step = aStep();
    const { transaction } = await mint({ wait: 'accepted', confirmations: 3 }, step);
    await untilIn('broadcast', transaction);
    const code = await chain.call<string>('eth_getCode', [chain.token, 'latest']);
    await chain.call('anvil_setCode', [chain.token, revertsAlways]);
    await chain.mine();
    await chain.call('anvil_setCode', [chain.token, code]);
    await untilIn('mined', transaction);

    await expect(mint({ wait: 'mined', confirmations: 3 }, step)).rejects.toMatchObject({ code: 'evm.pending' });
    await chain.mine(3);
    await untilIn('failed', transaction);
    await expect(mint({ wait: 'mined', confirmations: 3 }, step)).rejects.toMatchObject({ code: 'evm.reverted' });
  });

  it('given one that is cancelled, when what takes its place is mined, then it is cancelled once that is final', async () => {
    await chain.call('evm_setAutomine', [false]);
    const step = aStep();
    const { transaction } = await mint({ wait: 'accepted', confirmations: 3 }, step);
    await untilIn('broadcast', transaction);
    await client.transactions.cancel(transaction);
    await untilFillerIsSent(transaction);
    await chain.mine();
    await untilIn('mined', transaction);

    await expect(mint({ wait: 'mined', confirmations: 3 }, step)).rejects.toMatchObject({ code: 'evm.pending' });
    await chain.mine(3);
    await untilIn('cancelled', transaction);
    await expect(mint({ wait: 'mined', confirmations: 3 }, step)).rejects.toMatchObject({ code: 'evm.cancelled' });
  });

  it('given a transaction that is cancelled, when its step goes on, then it fails with that', async () => {
    await chain.call('evm_setAutomine', [false]);
    const step = aStep();
    const { transaction } = await mint({ wait: 'accepted' }, step);
    await untilIn('broadcast', transaction);
    await client.transactions.cancel(transaction);
    await untilFillerIsSent(transaction);
    await chain.mine();

    const ended = await eventually(async () => {
      const [outcome] = await Promise.allSettled([mint({}, step)]);
      return outcome.status === 'rejected' && (outcome.reason as { code: string }).code !== 'evm.pending' && outcome;
    });
    expect(ended.reason).toMatchObject({ code: 'evm.cancelled' });
  });
});

describe('evm.deploy', () => {
  const run = (input: object, step = aStep()) =>
    Promise.resolve(
      deploy.run({ ...step, input: deploy.input.parse({ from: 'treasury', ...input }) } as Parameters<
        typeof deploy.run
      >[0]),
    );

  it('given an artefact, when its step is done twice, then one contract lies at the address', async () => {
    const step = aStep();
    const deployed = await untilEnded(() => run({ artefact: 'DemoToken' }, step));

    expect(await untilEnded(() => run({ artefact: 'DemoToken' }, step))).toEqual(deployed);
    expect(await chain.call('eth_getCode', [deployed.address, 'latest'])).toMatch(/^0x60/);
    expect(registered).toEqual([]);
  });

  it('given an interface and a name, when it is deployed, then the contract is known under it', async () => {
    const step = aStep();
    const deployed = await untilEnded(() => run({ interface: 'token', name: 'loyalty' }, step));
    expect(registered).toEqual([
      {
        network: 'local',
        address: deployed.address,
        name: 'loyalty',
        interface: { name: 'token', version: 2 },
        transaction: deployed.transaction,
        by: 'flow:payments',
      },
    ]);
  });

  it.each([
    [{}, 'flow.input'],
    [{ interface: 'token', artefact: 'DemoToken' }, 'flow.input'],
    [{ artefact: 'DemoToken', name: 'loyalty' }, 'flow.input'],
    [{ artefact: 'Nothing' }, 'evm.unknownContract'],
    [{ interface: 'nothing' }, 'gateway.unknownInterface'],
    [{ interface: 'bare' }, 'gateway.unknownInterface'],
    [{ artefact: 'DemoToken', args: ['too', 'many', 'of', 'them', 'here'] }, 'evm.arguments'],
  ])('given %j, when it is to be deployed, then it is refused', async (input, code) => {
    await expect(run(input)).rejects.toMatchObject({ code });
  });
});

describe('evm.transactionStatus', () => {
  async function listening(given: object): Promise<Heard<Record<string, unknown>>[]> {
    const heard: Heard<Record<string, unknown>>[] = [];
    const stop = new AbortController();
    let hasBegun = false;
    const listen = transactionStatus.listen as (context: ListenContext<object, Network, unknown>) => Promise<void>;
    const ended = listen({
      input: transactionStatus.input.parse(given),
      client,
      cursor: undefined,
      signal: stop.signal,
      log: silent,
      use,
      emit: async (events) => {
        hasBegun = true;
        heard.push(...([events].flat() as Heard<Record<string, unknown>>[]));
      },
      retract: () => Promise.resolve(),
      recall: () => Promise.resolve(new Map()),
      report: () => Promise.resolve(),
    });
    stops.push(async () => {
      stop.abort();
      await ended;
    });
    await eventually(() => hasBegun);
    return heard;
  }

  it('given filters, when transactions go their way, then the changes that fit are heard once and in order', async () => {
    const all = await listening({});
    const some = await listening({
      status: ['mined', 'confirmed'],
      contract: 'usdc',
      function: 'mint',
      signer: devAccounts[0].address,
    });
    const none = await listening({ origin: 'flow:other' });

    const { transaction } = await minted();
    await eventually(() => all.length === 5 && some.length === 2);

    expect(all.map(({ event }) => event['status'])).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'confirmed']);
    expect(some.map(({ event }) => event['status'])).toEqual(['mined', 'confirmed']);
    expect(none).toEqual([]);
    expect(transactionStatus.event.parse(some[1]!.event)).toMatchObject({
      transaction: { id: transaction, signer: 'treasury', origin: 'flow:payments' },
      network: 'local',
    });
    expect(new Set(all.map(({ id }) => id)).size).toBe(5);
  });
});
