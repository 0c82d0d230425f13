import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAddress, type TransactionDraft, type TransactionPlace } from '#evm';
import type { Store } from '#platform';
import { PatchbayError } from '#sdk';
import { storeTransaction } from '../../test/builders/stored-transactions.js';
import { openTestStore } from '../../test/environment/postgres.js';
import { KyselyTransactionStore } from './transactions.store.js';

let store: Store;

beforeAll(async () => {
  store = await openTestStore();
});

afterAll(() => store.close());

describe('the signers that have something to send', () => {
  it('given unfinished and final ones of several signers and chains, when they are asked for, then each is there once', async () => {
    const address = (digit: string): string => `0x${digit.repeat(40)}`;
    for (const [from_address, signer, chain_id, nonce, status] of [
      [address('b'), 'second', '1', '7', 'broadcast'],
      [address('b'), 'second', '1', '8', 'reserved'],
      [address('a'), 'first', '1', '0', 'mined'],
      [address('c'), 'done', '1', '0', 'confirmed'],
      [address('d'), 'elsewhere', '2', '0', 'reserved'],
    ] as const) {
      await storeTransaction(store.db, { from_address, signer, chain_id, nonce, status });
    }

    const ledger = new KyselyTransactionStore(store.db);

    expect(await ledger.unfinishedSigners(1)).toEqual([
      { from: address('a'), signer: 'first' },
      { from: address('b'), signer: 'second' },
    ]);
    expect(await ledger.unfinishedSigners(3)).toEqual([]);
  });
});

describe('what becomes of a transaction', () => {
  it('given one that is mined, when a process that slept tells what it believed, then it stays where it is', async () => {
    const ledger = new KyselyTransactionStore(store.db);
    const id = await storeTransaction(store.db, { status: 'mined', block_hash: '0xnow' });

    await ledger.setStatus([{ id, status: 'broadcast', reason: 'reorganised', goneBlock: '0xearlier' }]);
    await ledger.setStatus([{ id, status: 'broadcast', reason: 'forgotten' }]);
    await ledger.setStatus([{ id, status: 'mined', place: placeIn('0xnow') }]);
    expect(await life(id)).toEqual(['reserved', 'signed', 'broadcast', 'mined']);

    await ledger.setStatus([{ id, status: 'broadcast', reason: 'reorganised', goneBlock: '0xnow' }]);
    await ledger.setStatus([{ id, status: 'mined', place: placeIn('0xlater') }]);
    expect(await life(id)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'broadcast', 'mined']);
  });

  it('given one that is mined, when a process that slept gives it up, then it stays mined until its block is gone', async () => {
    const ledger = new KyselyTransactionStore(store.db);
    const id = await storeTransaction(store.db, { status: 'mined', block_hash: '0xnow' });
    const failure = { code: 'evm.nonceTaken', detail: 'Somebody else used the nonce' } as const;

    await ledger.setStatus([{ id, status: 'signed', failure }]);
    await ledger.setStatus([{ id, status: 'failed', failure }]);
    expect(await life(id)).toEqual(['reserved', 'signed', 'broadcast', 'mined']);

    await ledger.setStatus([{ id, status: 'failed', failure, goneBlock: '0xnow' }]);
    expect(await life(id)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'failed']);
  });

  it('given one that a node has taken, when a process that slept gives it up unsent, then it stays taken, and why is kept once', async () => {
    const ledger = new KyselyTransactionStore(store.db);
    const id = await storeTransaction(store.db, { status: 'broadcast' });
    const failure = { code: 'evm.rpc', detail: 'The node refuses the transaction' } as const;

    await ledger.setStatus([{ id, status: 'signed', failure }]);
    await ledger.setStatus([{ id, status: 'signed', failure }]);

    expect(await life(id)).toEqual(['reserved', 'signed', 'broadcast', 'broadcast']);
    expect(await ledger.find([id])).toMatchObject([{ status: 'broadcast', failure }]);
  });

  it('given one that was given up, when it is confirmed all the same, then it has not failed', async () => {
    const ledger = new KyselyTransactionStore(store.db);
    const id = await storeTransaction(store.db, { status: 'broadcast' });

    await ledger.setStatus([{ id, status: 'broadcast', failure: { code: 'evm.rpc', detail: 'A node refuses it' } }]);
    await ledger.setStatus([{ id, status: 'mined', place: placeIn('0xnow') }]);
    await ledger.setStatus([{ id, status: 'confirmed', place: placeIn('0xnow') }]);

    const [record] = await ledger.find([id]);
    expect(record).toMatchObject({ status: 'confirmed', place: placeIn('0xnow') });
    expect(record?.failure).toBeUndefined();
  });

  it('given a change that was kept although the connection broke, when it is told again, then its history has it once', async () => {
    const ledger = new KyselyTransactionStore(store.db);
    const id = await storeTransaction(store.db, { status: 'mined', block_hash: '0xnow' });
    const failure = { code: 'evm.rpc', detail: 'The node refuses the transaction' } as const;

    for (const change of [
      { id, status: 'broadcast', reason: 'reorganised', goneBlock: '0xnow' },
      { id, status: 'broadcast', reason: 'forgotten' },
      { id, status: 'broadcast', failure },
    ] as const) {
      await ledger.setStatus([change]);
      await ledger.setStatus([change]);
    }

    expect(await life(id)).toEqual(['reserved', 'signed', 'broadcast', 'mined', 'broadcast', 'broadcast', 'broadcast']);
  });
});

async function life(id: string): Promise<readonly string[]> {
  const rows = await store.db
    .selectFrom('chain_transaction_status')
    .select('status')
    .where('transaction_id', '=', id)
    .orderBy('seq')
    .execute();
  return rows.map(({ status }) => status);
}

describe('a call that a flow waits for', () => {
  const call = {
    time: '2026-01-01T00:00:00.000Z',
    caller: 'shop',
    network: 'local',
    chainId: 1,
    contract: { address: `0x${'e'.repeat(40)}` },
    function: 'mint(uint256)',
    kind: 'send',
    args: { amount: '1' },
  } as const;
  const kept = async (): Promise<unknown> =>
    (await store.db.selectFrom('gateway_call').select('item').execute()).map(({ item }) => item);

  it('given that it sends, when its nonce is reserved, then it is kept in the same breath, and once', async () => {
    const ledger = new KyselyTransactionStore(store.db);
    const draft = { ...aDraft('first'), call };

    const { id } = await ledger.reserve(draft, 0);
    await ledger.reserve(draft, 0);

    expect(await kept()).toEqual([{ ...call, id, transaction: id }]);
  });

  it('given that its transaction is refused, then it never was', async () => {
    const before = await kept();
    const refusing = new KyselyTransactionStore(store.db, (_, drafts) =>
      Promise.resolve(drafts.map(() => new PatchbayError('evm.limit'))),
    );

    await expect(refusing.reserve({ ...aDraft('refused'), call }, 0)).rejects.toMatchObject({ code: 'evm.limit' });

    expect(await kept()).toEqual(before);
  });
});

describe('a contract that is deployed', () => {
  const known = async (): Promise<unknown> =>
    await store.db.selectFrom('contract').select(['name', 'address', 'transaction_id']).execute();

  it('given its name, when the nonce is reserved, then it is known at once, and a twin of that name sends nothing', async () => {
    const { id: interfaceId } = await store.db
      .insertInto('interface')
      .values({ name: 'steps', version: 1, contract: 'Steps', abi: '[]', content_hash: 'hash', created_by: 'ops' })
      .returning('id')
      .executeTakeFirstOrThrow();
    const ledger = new KyselyTransactionStore(store.db);
    const deploys = { network: 'local', name: 'stairs', interfaceId, createdBy: 'ops' };
    const draft = { ...aDraft('deploy'), to: undefined, deploys };

    const [first, other, twin] = await Promise.allSettled([
      ledger.reserve(draft, 20),
      ledger.reserve(aDraft('beside it'), 20),
      ledger.reserve({ ...draft, idempotencyKey: 'twin' }, 20),
    ]);
    const again = await ledger.reserve(draft, 20);

    expect(first).toMatchObject({ status: 'fulfilled', value: { id: again.id, nonce: 20 } });
    expect(other).toMatchObject({ status: 'fulfilled', value: { nonce: 21 } });
    expect(twin).toMatchObject({ status: 'rejected', reason: { code: 'request.conflict' } });
    expect(await known()).toEqual([
      { name: 'stairs', address: createAddress(again.from, 20), transaction_id: again.id },
    ]);
  });
});

function aDraft(idempotencyKey: string): TransactionDraft {
  return {
    idempotencyKey,
    payloadHash: 'hash',
    chainId: 1,
    signer: 'shop',
    from: `0x${'f'.repeat(40)}`,
    to: `0x${'e'.repeat(40)}`,
    data: '0x',
    value: '0',
    gasLimit: '21000',
    finality: 0,
    fee: undefined,
    about: undefined,
    origin: undefined,
  };
}

function placeIn(blockHash: string): TransactionPlace {
  return { hash: '0xabc', blockNumber: 7, blockHash, gasUsed: '21000' };
}
