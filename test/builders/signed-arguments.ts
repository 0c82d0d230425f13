import { parseSignature, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { DevChain, devAccounts } from '../../src/evm/testing/dev-chain.js';
import { people } from './contract-story.js';

const { treasury, other } = people;

/** A second, and a block, that no test will see. */
export const far = 2n ** 47n;

const permitTypes = {
  Permit: fields('address owner, address spender, uint256 value, uint256 nonce, uint256 deadline'),
};
const delegationTypes = { Delegation: fields('address delegatee, uint256 nonce, uint256 expiry') };
const ballotTypes = { Ballot: fields('uint256 proposalId, uint8 support, address voter, uint256 nonce') };
const extendedBallotTypes = {
  ExtendedBallot: fields(
    'uint256 proposalId, uint8 support, address voter, uint256 nonce, string reason, bytes params',
  ),
};

interface PermitWish {
  readonly value: bigint;
  readonly nonce: bigint;
  readonly deadline?: bigint;
}

/** The other account lets the treasury spend. */
export async function permit(address: string | undefined, name: string, wish: PermitWish): Promise<readonly unknown[]> {
  const { value, nonce, deadline = far } = wish;
  const message = { owner: other, spender: treasury, value, nonce, deadline };
  const signature = await sign({ address, name }, permitTypes, message);
  return [other, treasury, value, deadline, ...inParts(signature)];
}

export async function delegation(
  address: string | undefined,
  { nonce, expiry }: { readonly nonce: bigint; readonly expiry: bigint },
): Promise<readonly unknown[]> {
  const signature = await sign({ address, name: 'My Votes' }, delegationTypes, { delegatee: other, nonce, expiry });
  return [other, nonce, expiry, ...inParts(signature)];
}

interface Vote {
  readonly proposalId: bigint;
  readonly nonce: bigint;
}

export async function ballot(address: string | undefined, { proposalId, nonce }: Vote): Promise<readonly unknown[]> {
  const message = { proposalId, support: 1, voter: other, nonce };
  return [proposalId, 1, other, await sign({ address, name: 'My Governor' }, ballotTypes, message)];
}

export async function extendedBallot(
  address: string | undefined,
  { proposalId, nonce }: Vote,
): Promise<readonly unknown[]> {
  const message = { proposalId, support: 0, voter: other, nonce, reason: 'no, thanks', params: '0x00' };
  const signature = await sign({ address, name: 'My Governor' }, extendedBallotTypes, message);
  return [proposalId, 0, other, 'no, thanks', '0x00', signature];
}

type TypedFields = readonly { readonly type: string; readonly name: string }[];

async function sign(
  { address, name }: { readonly address: string | undefined; readonly name: string },
  types: Readonly<Record<string, TypedFields>>,
  message: Readonly<Record<string, unknown>>,
): Promise<Hex> {
  const domain = { name, version: '1', chainId: DevChain.chainId, verifyingContract: address as Hex };
  const [primaryType = ''] = Object.keys(types);
  return await privateKeyToAccount(devAccounts[1].key).signTypedData({ domain, types, primaryType, message });
}

function inParts(signature: Hex): readonly [v: bigint, r: Hex, s: Hex] {
  const { r, s, yParity } = parseSignature(signature);
  return [27n + BigInt(yParity), r, s];
}

function fields(text: string): TypedFields {
  return text.split(', ').map((field) => {
    const [type = '', name = ''] = field.split(' ');
    return { type, name };
  });
}
