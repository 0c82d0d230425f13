import { asIs, people, type Case, type ContractStory } from './contract-story.js';
import { delegation, far, permit } from './signed-arguments.js';

const { treasury, other, third, nobody } = people;
const most = 2n ** 256n - 1n;
const permitSignature = 'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)';
const delegationSignature = 'delegateBySig(address,uint256,uint256,uint8,bytes32,bytes32)';

export const token: ContractStory = {
  name: 'token',
  contract: 'MyToken',
  source: 'contracts/Tokens.sol',
  alwaysRefuses: [],
  deployedWith: () => [treasury, 10n ** 24n],
  async tell({ at, send }) {
    await send('transfer(address,uint256)', [other, 5n]);
    await send('approve(address,uint256)', [other, 10n]);
    await send(permitSignature, await permit(at['token'], 'My Token', { value: 1_000n, nonce: 0n }));
    await send('transferFrom(address,address,uint256)', [other, third, 3n]);
    await send('burn(uint256)', [7n]);
    await send('burnFrom(address,uint256)', [other, 1n]);
  },
  cases: async (at) => ({
    ...(await erc20(at['token'], 'My Token')),
    'burn(uint256)': [[1n], [most]],
    'burnFrom(address,uint256)': [
      [other, 1n],
      [third, 1n],
    ],
  }),
};

export const nft: ContractStory = {
  name: 'nft',
  contract: 'MyNft',
  source: 'contracts/Tokens.sol',
  alwaysRefuses: [],
  deployedWith: () => [treasury],
  async tell({ send }) {
    await send('mint(address,uint256,string)', [treasury, 1n, 'ipfs://one/ü']);
    await send('mint(address,uint256,string)', [treasury, 2n, '']);
    await send('mint(address,uint256,string)', [treasury, most, 'ipfs://last']);
    await send('approve(address,uint256)', [other, 1n]);
    await send('setApprovalForAll(address,bool)', [other, true]);
    await send('transferFrom(address,address,uint256)', [treasury, other, 2n]);
    await send('safeTransferFrom(address,address,uint256,bytes)', [treasury, other, most, '0x1234']);
  },
  cases: async (at) => ({
    'approve(address,uint256)': [
      [other, 1n],
      [other, 2n],
    ],
    'balanceOf(address)': [[treasury], [nobody]],
    'getApproved(uint256)': [[1n], [99n]],
    'isApprovedForAll(address,address)': [
      [treasury, other],
      [other, treasury],
    ],
    'mint(address,uint256,string)': [
      [treasury, 4n, 'ipfs://four'],
      [treasury, 1n, 'again'],
      // A contract that cannot take it.
      [at['token'], 5n, ''],
    ],
    'name()': asIs,
    'owner()': asIs,
    'ownerOf(uint256)': [[1n], [99n]],
    'renounceOwnership()': asIs,
    'safeTransferFrom(address,address,uint256)': [
      [treasury, other, 1n],
      [treasury, at['token'], 1n],
    ],
    'safeTransferFrom(address,address,uint256,bytes)': [
      [treasury, other, 1n, '0x00ff'],
      [treasury, other, 2n, '0x'],
    ],
    'setApprovalForAll(address,bool)': [
      [other, false],
      [nobody, true],
    ],
    'supportsInterface(bytes4)': [['0x80ac58cd'], ['0xffffffff']],
    'symbol()': asIs,
    'tokenURI(uint256)': [[1n], [2n], [most], [99n]],
    'transferFrom(address,address,uint256)': [
      [treasury, third, 1n],
      [other, third, 1n],
    ],
    'transferOwnership(address)': [[other], [nobody]],
  }),
};

export const items: ContractStory = {
  name: 'items',
  contract: 'MyItems',
  source: 'contracts/Tokens.sol',
  alwaysRefuses: [],
  deployedWith: () => ['https://items.example/{id}.json'],
  async tell({ send }) {
    await send('mint(address,uint256,uint256,bytes)', [treasury, 1n, 100n, '0x']);
    await send('mintBatch(address,uint256[],uint256[],bytes)', [treasury, [1n, 2n, most], [1n, 2n, 3n], '0xabcd']);
    await send('setApprovalForAll(address,bool)', [other, true]);
    await send('safeTransferFrom(address,address,uint256,uint256,bytes)', [treasury, other, 1n, 5n, '0x']);
    const moved = [treasury, other, [1n, 2n], [1n, 1n], '0x01'];
    await send('safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)', moved);
  },
  cases: async (at) => ({
    'balanceOf(address,uint256)': [
      [treasury, 1n],
      [nobody, 1n],
    ],
    'balanceOfBatch(address[],uint256[])': [
      [
        [treasury, other, third],
        [1n, 2n, most],
      ],
      [[], []],
      [[treasury], [1n, 2n]],
    ],
    'exists(uint256)': [[2n], [77n]],
    'isApprovedForAll(address,address)': [[treasury, other]],
    'mint(address,uint256,uint256,bytes)': [
      [other, 9n, 1n, '0x'],
      [nobody, 9n, 1n, '0x'],
    ],
    'mintBatch(address,uint256[],uint256[],bytes)': [
      [other, [], [], '0x'],
      [other, [1n, 2n], [3n], '0x'],
    ],
    'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)': [
      [treasury, third, [1n, 2n], [1n, 1n], '0x'],
      [treasury, third, [1n, 2n], [1n, 100n], '0x'],
    ],
    'safeTransferFrom(address,address,uint256,uint256,bytes)': [
      [treasury, third, 1n, 1n, '0xff'],
      [other, third, 1n, 1n, '0x'],
      [treasury, at['token'], 1n, 1n, '0x'],
    ],
    'setApprovalForAll(address,bool)': [
      [third, true],
      [nobody, true],
    ],
    'supportsInterface(bytes4)': [['0xd9b67a26']],
    'totalSupply()': asIs,
    'totalSupply(uint256)': [[1n], [77n]],
    'uri(uint256)': [[1n]],
  }),
};

export const votes: ContractStory = {
  name: 'votes',
  contract: 'MyVotes',
  source: 'contracts/Governance.sol',
  alwaysRefuses: [],
  deployedWith: () => [treasury, 10n ** 21n],
  async tell({ at, send, mine }) {
    await send('delegate(address)', [treasury]);
    await send('transfer(address,uint256)', [other, 10n]);
    await send(delegationSignature, await delegation(at['votes'], { nonce: 0n, expiry: far }));
    await send('approve(address,uint256)', [other, 10n]);
    await mine(1);
  },
  cases: async (at) => ({
    ...(await erc20(at['votes'], 'My Votes')),
    'CLOCK_MODE()': asIs,
    'clock()': asIs,
    'checkpoints(address,uint32)': [
      [treasury, 0],
      [treasury, 99],
    ],
    'delegate(address)': [[third]],
    [delegationSignature]: [
      await delegation(at['votes'], { nonce: 1n, expiry: far }),
      await delegation(at['votes'], { nonce: 9n, expiry: far }),
      await delegation(at['votes'], { nonce: 1n, expiry: 1n }),
    ],
    'delegates(address)': [[other]],
    'getPastTotalSupply(uint256)': [[1n], [far]],
    'getPastVotes(address,uint256)': [
      [treasury, 1n],
      [treasury, far],
    ],
    'getVotes(address)': [[treasury], [third]],
    'numCheckpoints(address)': [[treasury]],
  }),
};

/** Of both tokens, whose holders are the same. */
async function erc20(address: string | undefined, name: string): Promise<Record<string, readonly Case[]>> {
  const nonce = 1n;
  return {
    'DOMAIN_SEPARATOR()': asIs,
    'allowance(address,address)': [
      [treasury, other],
      [other, treasury],
    ],
    'approve(address,uint256)': [
      [third, most],
      [nobody, 1n],
    ],
    'balanceOf(address)': [[treasury], [other], [nobody]],
    'decimals()': asIs,
    'eip712Domain()': asIs,
    'name()': asIs,
    'nonces(address)': [[other]],
    [permitSignature]: [
      await permit(address, name, { value: most, nonce }),
      await permit(address, name, { value: 1n, nonce: 9n }),
      await permit(address, name, { value: 1n, nonce, deadline: 1n }),
    ],
    'symbol()': asIs,
    'totalSupply()': asIs,
    'transfer(address,uint256)': [
      [third, 1n],
      [third, most],
      [nobody, 1n],
    ],
    'transferFrom(address,address,uint256)': [
      [other, third, 0n],
      [third, other, 1n],
    ],
  };
}
