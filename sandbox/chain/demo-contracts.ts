import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Rpc } from './json-rpc.js';

/** The first accounts of anvil's well-known phrase. They are public: nothing of value may ever be sent to them. */
export const treasury = {
  address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  privateKey: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
} as const;

/** Its key is with the stand-in of a remote signer. */
export const custodian = {
  address: '0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f',
  privateKey: '0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97',
} as const;

/** Anvil's. */
export const chainId = 31_337;

/** Makes the transfers of the demo. Not the treasury: the hub alone decides that signer's nonces. */
export const payer = '0xa0ee7a142d267c1f36714e4a8f75612f20a79720';

/** As in `contracts/addresses/local.yaml`: what the treasury's first two transactions create. */
export const demoToken = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
export const loyaltyToken = '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512';

export const tokenDecimals = 6;
const payerFunds = 900_000_000n * 10n ** BigInt(tokenDecimals);

/** Deploys the two tokens and gives the payer its money, as far as the chain lacks them. */
export async function deployDemoContracts(rpc: Rpc): Promise<void> {
  await deployAt(rpc, 'DemoToken', demoToken);
  await deployAt(rpc, 'LoyaltyToken', loyaltyToken);
  if ((await balanceOf(rpc, demoToken, payer)) === 0n)
    await sendTransfer(rpc, { from: treasury.address, to: payer, value: payerFunds });
}

/** Sends tokens and waits until the transfer is mined. Resolves with the hash of the transaction. */
export async function sendTransfer(
  rpc: Rpc,
  { from = payer, to, value }: { readonly from?: string; readonly to: string; readonly value: bigint },
): Promise<string> {
  return transact(rpc, { from, to: demoToken, data: `0xa9059cbb${word(to)}${numberWord(value)}` });
}

/** Deploys what is not there yet. @throws when the account has sent too many transactions to create this address */
export async function deployAt(
  rpc: Rpc,
  name: string,
  expected: string,
  { from = treasury.address, args = '' }: { readonly from?: string; readonly args?: string } = {},
): Promise<void> {
  if (await isDeployed(rpc, expected)) return;
  const file = join(projectFolder(), 'contracts', 'abi', `${name}.json`);
  const artefact = JSON.parse(await readFile(file, 'utf8')) as { readonly bytecode: string };
  await transact(rpc, { from, data: artefact.bytecode + args });
  if (await isDeployed(rpc, expected)) return;
  throw new Error(`${name} is not at ${expected}: the account ${from} has sent other transactions before`);
}

export async function isDeployed(rpc: Rpc, address: string): Promise<boolean> {
  return (await rpc('eth_getCode', address, 'latest')) !== '0x';
}

/** Sends and waits until it is mined. Resolves with the hash. @throws when it was reverted */
export async function transact(rpc: Rpc, transaction: Readonly<Record<string, string>>): Promise<string> {
  const hash = await rpc<string>('eth_sendTransaction', transaction);
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await delay(20)) {
    const receipt = await rpc<{ readonly status: string } | null>('eth_getTransactionReceipt', hash);
    if (receipt?.status === '0x1') return hash;
    if (receipt !== null) throw new Error(`The development chain reverted ${hash}`);
  }
  throw new Error(`The development chain did not mine ${hash}`);
}

/** How much of a token somebody has. */
export async function balanceOf(rpc: Rpc, token: string, account: string): Promise<bigint> {
  return BigInt(await rpc<string>('eth_call', { to: token, data: `0x70a08231${word(account)}` }, 'latest'));
}

/** An address or number in hexadecimal digits, as calls carry it. */
export function word(hex: string): string {
  return hex.slice(2).padStart(64, '0');
}

export function numberWord(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}

/** The folder that holds package.json, both for the sources and for what is built from them. */
function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
