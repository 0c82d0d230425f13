import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Interface } from 'ethers';
import { DevChain, artefact, devAccounts } from '../../src/evm/testing/dev-chain.js';

const loyaltyAddress = '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512';
const [owner, customer] = devAccounts;
const usdc = new Interface(artefact('DemoToken').abi as never);
const loyalty = new Interface(artefact('LoyaltyToken').abi as never);

let chain: DevChain;

beforeAll(async () => {
  chain = await DevChain.start();
  await chain.deploy('LoyaltyToken');
});

afterAll(async () => {
  await chain.stop();
});

async function read(token: Interface, to: string, name: string, args: readonly unknown[] = []): Promise<unknown> {
  const answer = await chain.call<string>('eth_call', [{ to, data: token.encodeFunctionData(name, args) }, 'latest']);
  return token.decodeFunctionResult(name, answer)[0];
}

describe('the demo token', () => {
  it('given a new chain, when deployed, then the owner has the supply at the address of the address book', async () => {
    expect(await read(usdc, chain.token, 'symbol')).toBe('USDC');
    expect(await read(usdc, chain.token, 'decimals')).toBe(6n);
    expect(await read(usdc, chain.token, 'balanceOf', [owner.address])).toBe(10n ** 15n);
  });

  it('given an allowance, when less is taken, then the balance moves and the rest stays allowed', async () => {
    await chain.send({ to: chain.token, data: usdc.encodeFunctionData('approve', [customer.address, 10n]) });
    await chain.send({
      from: customer.address,
      to: chain.token,
      data: usdc.encodeFunctionData('transferFrom', [owner.address, customer.address, 4n]),
    });
    await chain.mine();

    expect(await read(usdc, chain.token, 'allowance', [owner.address, customer.address])).toBe(6n);
    expect(await read(usdc, chain.token, 'balanceOf', [customer.address])).toBe(4n);
  });
});

describe('the loyalty token', () => {
  it('given the owner, when points are minted, then the customer has them and may pass them on', async () => {
    await chain.send({ to: loyaltyAddress, data: loyalty.encodeFunctionData('mint', [customer.address, 5n]) });
    await chain.send({
      from: customer.address,
      to: loyaltyAddress,
      data: loyalty.encodeFunctionData('transfer', [owner.address, 2n]),
    });
    await chain.mine();

    expect(await read(loyalty, loyaltyAddress, 'totalSupply')).toBe(5n);
    expect(await read(loyalty, loyaltyAddress, 'balanceOf', [customer.address])).toBe(3n);
  });

  it('given a stranger, when points are minted, then the token refuses', async () => {
    const call = {
      from: customer.address,
      to: loyaltyAddress,
      data: loyalty.encodeFunctionData('mint', [customer.address, 5n]),
    };
    await expect(chain.call('eth_call', [call, 'latest'])).rejects.toThrow();
  });
});
