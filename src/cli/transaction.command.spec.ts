import { afterEach, describe, expect, it } from '@jest/globals';
import { aScriptedHub, type HubScript, type ScriptedHub } from '../../test/builders/scripted-hub.js';
import { aTerminal, type Terminal } from '../../test/builders/terminal.js';
import { runCli } from './program.js';

const transaction = {
  id: 't-1',
  chainId: 1,
  network: 'mainnet',
  signer: 'treasury',
  from: '0xf39f',
  to: '0x5fbd',
  nonce: 17,
  value: '0',
  about: { contract: 'usdc', function: 'mint(address,uint256)' },
  origin: 'flow:payments',
  status: 'failed',
  hash: '0x12',
  receipt: { blockNumber: 7, gasUsed: '21000' },
  contractAddress: null,
  failure: { code: 'evm.reverted', detail: 'NotOwner' },
  createdAt: '2026-01-01T00:00:00Z',
  attempts: [{ number: 1, kind: 'payload', hash: '0x12', maxFee: '9', sentAt: '2026-01-01T00:00:00Z' }],
  history: [
    { status: 'reserved', at: '2026-01-01T00:00:00Z', reason: null, failure: null },
    { status: 'broadcast', at: '2026-01-01T00:00:01Z', reason: 'reorganised', failure: null },
  ],
};

describe('transactions on the command line', () => {
  let hub: ScriptedHub | undefined;
  afterEach(async () => hub?.stop());

  async function patchbay(
    argv: readonly string[],
    script: HubScript,
  ): Promise<{ exitCode: number; terminal: Terminal }> {
    hub = await aScriptedHub(script);
    const terminal = aTerminal({ env: { PATCHBAY_HUB: hub.url, PATCHBAY_KEY: 'key-1' } });
    return { exitCode: await runCli(argv, terminal), terminal };
  }

  it('given filters, when transactions are listed, then the hub is asked for those and says how to go on', async () => {
    const { terminal } = await patchbay(
      ['transactions', '--pending', '--signer', 'treasury', '--created-after', '2026-01-01T00:00:00Z'],
      { 'GET /api/transactions': { body: { items: [transaction], next: 'abc' } } },
    );
    expect(hub?.calls[0]?.path).toBe(
      '/api/transactions?pending=true&signer=treasury&createdAfter=2026-01-01T00%3A00%3A00Z',
    );
    expect(terminal.stdout()).toMatch(/t-1 +✗ failed +mainnet +treasury +17 +usdc mint/);
    expect(terminal.stderr()).toContain('--before abc');
  });

  it('given one, when it is shown, then there are its attempts, its history and why it failed', async () => {
    const { terminal } = await patchbay(['transaction', 'show', '0x12'], {
      'GET /api/transactions/0x12': { body: transaction },
    });
    for (const text of [
      'usdc mint',
      'evm.reverted  NotOwner',
      '1 attempt',
      '9 wei per gas',
      'broadcast  reorganised',
    ]) {
      expect(terminal.stdout()).toContain(text);
    }
  });

  it('given one that is stuck, when it is cancelled or replaced, then the hub is told', async () => {
    await patchbay(['transaction', 'cancel', 't-1'], { 'POST /api/transactions/t-1/cancel': { body: transaction } });
    expect(hub?.calls).toHaveLength(1);
    await hub?.stop();
    await patchbay(['transaction', 'replace', 't-1', '--max', '9'], {
      'POST /api/transactions/t-1/replace': { body: transaction },
    });
    expect(hub?.calls[0]?.body).toEqual({ fee: { max: '9' } });
    await hub?.stop();
    expect((await patchbay(['transaction', 'replace', 't-1'], {})).exitCode).toBe(2);
  });

  it('given a signer, when it is suspended and resumed, then the hub is told and the terminal says where', async () => {
    const suspensions = [{ address: '0xf39f', chainId: 1, network: 'mainnet', reason: 'leaked' }];
    const suspended = await patchbay(['signer', 'suspend', 'treasury', '--reason', 'leaked'], {
      'POST /api/signers/treasury/suspend': { body: { suspensions } },
    });
    expect(hub?.calls[0]?.body).toEqual({ reason: 'leaked' });
    expect(suspended.terminal.stdout()).toBe('treasury is suspended on mainnet.\n');
    await hub?.stop();

    const resumed = await patchbay(['signer', 'resume', 'treasury', '--network', 'mainnet'], {
      'POST /api/signers/treasury/resume': { body: { suspensions: [] } },
    });
    expect(hub?.calls[0]?.body).toEqual({ network: 'mainnet' });
    expect(resumed.terminal.stdout()).toBe('treasury accepts transactions.\n');
  });

  it('given limits, when a key is made, then they are part of it', async () => {
    const limits = [
      'signers=a,b',
      'functions=mint(address,(uint256,bool)[]),burn',
      'transactionsPerDay=5',
      'valuePerDay=10',
    ];
    await patchbay(['key', 'create', 'shop', '--scope', 'chain:send', ...limits.flatMap((one) => ['--limit', one])], {
      'POST /api/keys': { body: { id: 'k', name: 'shop', key: 'pbk_1' } },
    });
    expect(hub?.calls[0]?.body).toEqual({
      name: 'shop',
      scopes: ['chain:send'],
      limits: {
        signers: ['a', 'b'],
        functions: ['mint(address,(uint256,bool)[])', 'burn'],
        transactionsPerDay: 5,
        valuePerDay: '10',
      },
    });
  });
});
