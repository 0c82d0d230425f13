import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressBook } from './address-book.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'address-book-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function aBook(text: string): Promise<AddressBook> {
  const file = join(folder, 'test.yaml');
  await writeFile(file, text);
  return new AddressBook({ file });
}

const usdc = `contracts:\n  usdc:\n    address: '0x5FbDB2315678afecb367f032d93F642f64180aa3'\n    abi: DemoToken\n    decimals: 6\n`;

describe('the address book', () => {
  it('given a name, when it is looked up, then address, ABI and decimals are known', async () => {
    const book = await aBook(usdc);

    const contract = await book.get('usdc');

    expect(contract).toMatchObject({
      name: 'usdc',
      address: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
      decimals: 6,
    });
    expect(contract.abi.some((fragment) => fragment.name === 'Transfer')).toBe(true);
    expect(await book.get('0x5FbDB2315678afecb367f032d93F642f64180aa3')).toEqual(contract);
  });

  it('given a bare address, when an ABI is named, then it can be used without an entry', async () => {
    const book = await aBook('');
    const address = `0x${'ab'.repeat(20)}`;

    expect(await book.get(address, 'LoyaltyToken')).toMatchObject({ name: undefined, address });
    await expect(book.get(address)).rejects.toMatchObject({ code: 'evm.unknownContract' });
  });

  it('given contracts that are known elsewhere, when they are looked up, then the file comes first', async () => {
    const file = join(folder, 'both.yaml');
    await writeFile(file, usdc);
    const elsewhere = { name: 'escrow', address: `0x${'cd'.repeat(20)}`, abi: [], decimals: undefined };
    const asked: string[] = [];
    const book = new AddressBook({
      file,
      findElsewhere: (wanted) => {
        asked.push(wanted);
        return Promise.resolve(wanted === 'usdt' ? undefined : elsewhere);
      },
    });

    expect((await book.get('usdc')).name).toBe('usdc');
    expect(await book.get('escrow')).toBe(elsewhere);
    expect(await book.get(elsewhere.address.toUpperCase().replace('X', 'x'))).toBe(elsewhere);
    expect((await book.get('escrow', 'DemoToken')).abi.length).toBeGreaterThan(0);
    await expect(book.get('usdt')).rejects.toMatchObject({ code: 'evm.unknownContract' });
    expect(asked).toEqual(['escrow', elsewhere.address, 'escrow', 'usdt']);
  });

  it('given an unknown name, when it is looked up, then the error names the ones there are', async () => {
    const book = await aBook(usdc);
    await expect(book.get('usdt')).rejects.toMatchObject({ code: 'evm.unknownContract', fix: 'There are: usdc' });
  });

  it('given an entry that was added later, when it is looked up, then it is found', async () => {
    const book = await aBook('contracts: {}\n');
    await expect(book.get('usdc')).rejects.toMatchObject({ code: 'evm.unknownContract' });
    await writeFile(join(folder, 'test.yaml'), usdc);
    expect((await book.get('usdc')).decimals).toBe(6);
  });

  it('given an address without quotes, when the book is read, then the fault says where', async () => {
    const book = await aBook(usdc.replaceAll("'", ''));
    await expect(book.get('usdc')).rejects.toMatchObject({
      code: 'config.invalid',
      faults: [expect.objectContaining({ pointer: '/contracts/usdc/address' })],
    });
  });
});
