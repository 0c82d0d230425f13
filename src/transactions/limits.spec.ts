import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { selectorOfSignature, type TransactionDraft } from '#evm';
import { ApiKeys, type SendLimits, type Store } from '#platform';
import { PatchbayError } from '#sdk';
import { storeTransaction } from '../../test/builders/stored-transactions.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { parseDeclaredLimits } from './declared-limits.js';
import { checkLimits, type LimitsParts } from './limits.js';

const usdc = `0x${'c0'.repeat(20)}`;
const stranger = `0x${'d0'.repeat(20)}`;
const treasury = `0x${'a0'.repeat(20)}`;
const mint = 'mint(address,uint256)';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

beforeEach(async () => {
  await store.db.deleteFrom('chain_transaction').execute();
});

afterAll(() => store.close());

function aDraft(given: Partial<TransactionDraft> = {}): TransactionDraft {
  return {
    idempotencyKey: randomUUID(),
    payloadHash: 'hash',
    chainId: 31_337,
    signer: 'treasury',
    from: treasury,
    to: usdc,
    data: `${selectorOfSignature(mint)}${'0'.repeat(128)}`,
    value: '0',
    gasLimit: '60000',
    finality: 0,
    fee: undefined,
    about: undefined,
    origin: 'flow:payments',
    ...given,
  };
}

function limited(limits: SendLimits, of: 'signers' | 'flows' = 'flows'): LimitsParts {
  return {
    signers: new Map(of === 'signers' ? [['treasury', limits]] : []),
    wallets: new Map(),
    flows: new Map(of === 'flows' ? [['payments', limits]] : []),
    keys: new Map(),
    addressOf: (_, name) => Promise.resolve(name === 'usdc' ? usdc : undefined),
  };
}

async function check(drafts: readonly TransactionDraft[], parts: LimitsParts): Promise<string[]> {
  const checked = await store.db.transaction().execute((db) => checkLimits(db, drafts, parts));
  return checked.map((one) => (one instanceof PatchbayError ? `${one.code}: ${one.detail ?? ''}` : 'sent'));
}

describe('what may be sent', () => {
  const raw = aDraft();
  const told = aDraft({ about: { contract: 'usdc', function: mint } });
  const lied = aDraft({ about: { function: 'burn(uint256)' } });
  const deployment = aDraft({ to: undefined, data: '0x6000' });
  const coins = aDraft({ data: '0x', value: '5' });

  it.each<[string, TransactionDraft, SendLimits, string]>([
    ['a signer by name', raw, { signers: ['treasury'] }, ''],
    ['a signer by address', raw, { signers: [treasury.toUpperCase().replace('0X', '0x')] }, ''],
    ['another signer', raw, { signers: ['ops'] }, 'may not use the signer treasury, only: ops'],
    ['a contract by name', raw, { contracts: ['usdc'] }, ''],
    ['a contract by address', raw, { contracts: [usdc] }, ''],
    ['another contract', aDraft({ to: stranger }), { contracts: ['usdc', 'gone'] }, 'only to: usdc, gone'],
    ['a function by signature', raw, { functions: ['mint(address, uint256)'] }, ''],
    ['a function by name', told, { functions: ['mint'] }, ''],
    ['a function by name that nobody can tell', raw, { functions: ['mint'] }, 'may not call 0x40c10f19'],
    ['a function by a name that does not fit the bytes', lied, { functions: ['burn'] }, 'may not call burn(uint256)'],
    ['another function', told, { functions: ['burn'] }, `may not call ${mint}, only: burn`],
    ['a deployment', deployment, { contracts: ['usdc'] }, 'may not deploy'],
    ['a deployment that is allowed', deployment, { contracts: ['usdc'], functions: ['constructor'] }, ''],
    ['coins', coins, { functions: ['mint'] }, 'may not send coins without a call'],
    ['coins that are allowed', coins, { functions: ['receive'] }, ''],
    ['the value of a transaction', coins, { valuePerTransaction: '5' }, ''],
    ['more value', coins, { valuePerTransaction: '4' }, 'may send 4 wei in one transaction; 5 were asked for'],
    ['a fee', aDraft({ fee: { max: '11' } }), { feeCap: '10' }, 'may pay 10 wei per gas; 11 were asked for'],
  ])('given limits, when %s is asked for, then it is sent or the limit is told', async (_, draft, limits, refusal) => {
    const [answer] = await check([draft], limited(limits));
    if (refusal === '') expect(answer).toBe('sent');
    else expect(answer).toContain(refusal);
    if (refusal !== '') expect(answer).toContain('evm.limit: The flow payments ');
  });

  it('given a fee cap, when no or a higher one is wished for, then it is that of the limits', async () => {
    const drafts = [aDraft(), aDraft({ fee: { cap: '20', tip: '1' } }), aDraft({ fee: { cap: '3' } })];
    const checked = await checkLimits(store.db, drafts, limited({ feeCap: '10' }));
    expect(checked).toMatchObject([{ fee: { cap: '10' } }, { fee: { cap: '10', tip: '1' } }, { fee: { cap: '3' } }]);
  });

  it('given others, when they send, then the limits of a flow are not theirs', async () => {
    const others = [aDraft({ origin: 'flow:other' }), aDraft({ origin: undefined })];
    expect(await check(others, limited({ transactionsPerDay: 0 }))).toEqual(['sent', 'sent']);
  });
});

describe('what may be sent in a day', () => {
  it('given what was sent today, when a batch is asked for, then it is taken until nothing is left', async () => {
    await storeTransaction(store.db, { origin: 'flow:payments', value: '60' });
    await storeTransaction(store.db, { origin: 'flow:other', value: '500' });
    await storeTransaction(store.db, { origin: 'flow:payments', value: '500', created_at: '2020-01-01' });
    const batch = ['30', '20', '10'].map((value) => aDraft({ value }));

    expect(await check(batch, limited({ valuePerDay: '100' }))).toEqual([
      'sent',
      'evm.limit: The flow payments may send 100 wei a day, of which 10 are left until midnight UTC; 20 were asked for',
      'sent',
    ]);
  });

  it('given a signer, when several origins use it, then all count', async () => {
    await storeTransaction(store.db, { origin: 'flow:other', from_address: treasury });
    const batch = [aDraft(), aDraft({ origin: undefined })];

    expect(await check(batch, limited({ transactionsPerDay: 2 }, 'signers'))).toEqual([
      'sent',
      'evm.limit: The signer treasury may send 2 transactions a day, and none is left until midnight UTC',
    ]);
  });

  it('given two processes at the same moment, when there is room for one, then one of them sends', async () => {
    const send = (): Promise<boolean> =>
      store.db.transaction().execute(async (db) => {
        const [answer] = await checkLimits(db, [aDraft({ value: '60' })], limited({ valuePerDay: '100' }));
        if (answer instanceof PatchbayError) return false;
        await storeTransaction(db, { origin: 'flow:payments', value: '60' });
        return true;
      });

    expect((await Promise.all(Array.from({ length: 5 }, send))).filter(Boolean)).toHaveLength(1);
  });

  it('given a wallet, when two of its accounts send, then each has a day of its own', async () => {
    const parts = { ...limited({}), wallets: new Map([['shop', { transactionsPerDay: 1 }]]) };
    const first = aDraft({ signer: 'hd-shop-0', from: `0x${'e0'.repeat(20)}` });
    const second = aDraft({ signer: 'hd-shop-1', from: `0x${'e1'.repeat(20)}` });

    expect(await check([first, second, { ...first, idempotencyKey: 'another' }], parts)).toEqual([
      'sent',
      'sent',
      'evm.limit: The account hd-shop-0 may send 1 transactions a day, and none is left until midnight UTC',
    ]);
  });

  it('given an API key with limits of its own and in the file, when it sends, then both hold', async () => {
    const { info } = await new ApiKeys(store.db).create({
      name: 'shop',
      scopes: ['chain:send'],
      limits: { valuePerTransaction: '10' },
    });
    const parts = { ...limited({}), keys: new Map([['shop', { contracts: ['usdc'] }]]) };
    const origin = `key:${info.id}`;

    expect(
      await check([aDraft({ origin }), aDraft({ origin, value: '11' }), aDraft({ origin, to: stranger })], parts),
    ).toEqual([
      'sent',
      'evm.limit: The API key shop may send 10 wei in one transaction; 11 were asked for',
      `evm.limit: The API key shop may not send to ${stranger}, only to: usdc`,
    ]);
  });
});

describe('limits in the file', () => {
  it('given limits of signers, flows and keys, when they are read, then each is known by its name', () => {
    const limits = parseDeclaredLimits({
      limits: [
        { for: { flow: 'payments' }, valuePerDay: 100 },
        { for: { key: 'shop' }, functions: ['mint'] },
      ],
      signers: new Map([
        ['treasury', { limits: { feeCap: '5' } }],
        ['ops', {}],
      ]),
      wallets: new Map([['customers', { limits: { transactionsPerDay: 3 } }]]),
    });
    expect(limits.flows.get('payments')).toEqual({ valuePerDay: '100' });
    expect(limits.keys.get('shop')).toEqual({ functions: ['mint'] });
    expect([...limits.signers]).toEqual([['treasury', { feeCap: '5' }]]);
    expect([...limits.wallets]).toEqual([['customers', { transactionsPerDay: 3 }]]);
  });

  it('given wrong ones, when they are read, then each fault is named with its place', () => {
    const read = (): unknown =>
      parseDeclaredLimits({
        limits: [{ for: { flow: 'a' }, valuPerDay: 1 }, { for: 'a' }, { for: { flow: 'b' } }, { for: { flow: 'b' } }],
        signers: new Map([['treasury', { limits: { contracts: [] } }]]),
        wallets: new Map(),
      });
    expect(read).toThrow(
      expect.objectContaining({
        code: 'config.invalid',
        faults: [
          expect.objectContaining({ pointer: '/signers/treasury/limits/contracts' }),
          { pointer: '/limits/0', detail: 'Unknown field: valuPerDay' },
          expect.objectContaining({ pointer: '/limits/1/for', detail: 'must be { flow: NAME } or { key: NAME }' }),
          expect.objectContaining({ pointer: '/limits/3/for' }),
        ],
      }),
    );
  });
});
