// The thread that holds the private keys of a hub. Keys come in by message and never go out again: answers are addresses,
// signed bytes, and the names of faults. What a library says about a key is never passed on; it might quote it.
import { scrypt as nativeScrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { SigningKey, keccak256, scrypt } from 'ethers/crypto';
import { Transaction, computeAddress } from 'ethers/transaction';

/** A keystore that asks for more than this is not opened: its numbers come from a file. */
const scryptMemoryBytes = 1_100_000_000;
/** Accounts of one wallet that are kept ready for signing. */
const keptAccounts = 10_000;

const deriveScrypt = promisify(nativeScrypt);
// Off this thread, and several times as fast as the library's own: opening a keystore holds up no signature.
scrypt.register((password, salt, N, r, p, length) =>
  deriveScrypt(password, salt, length, { N, r, p, maxmem: scryptMemoryBytes }),
);

/** Slot to what signs: `{ key, address }`, or `{ root, accounts }` of a wallet. */
const slots = new Map();

class Refusal extends Error {}

const tasks = {
  async open({ slot, material }) {
    slots.set(slot, await open[material.kind](material));
    return slots.get(slot).address;
  },
  addresses({ slot, from, count }) {
    return Array.from({ length: count }, (_, place) => account(slots.get(slot), from + place).address);
  },
  sign({ slot, index, address, transactions }) {
    const signer = index === undefined ? slots.get(slot) : account(slots.get(slot), index);
    // The file was exchanged while this thread was started again: its transactions belong to the former key.
    if (signer.address !== address) throw new Refusal('otherAddress');
    return transactions.map((fields) => sign(signer.key, fields));
  },
};

const open = {
  key: ({ privateKey }) => keyed(privateKey),
  async keystore({ json, password }) {
    const { decryptKeystoreJson, isKeystoreJson } = await import('ethers/wallet');
    if (!isKeystoreJson(json)) throw new Refusal('notKeystore');
    try {
      return keyed((await decryptKeystoreJson(json, password)).privateKey);
    } catch (error) {
      throw new Refusal(error?.argument === 'password' ? 'wrongPassword' : 'unreadableKeystore');
    }
  },
  async wallet({ mnemonic, passphrase, path }) {
    const { HDNodeWallet, Mnemonic } = await import('ethers/wallet');
    if (!Mnemonic.isValidMnemonic(mnemonic)) throw new Refusal('invalidMnemonic');
    return { root: HDNodeWallet.fromPhrase(mnemonic, passphrase, path), accounts: new Map() };
  },
};

function keyed(privateKey) {
  let key;
  try {
    key = new SigningKey(privateKey);
    return { key, address: computeAddress(key).toLowerCase() };
  } catch {
    throw new Refusal('invalidKey');
  }
}

function account(wallet, index) {
  const known = wallet.accounts.get(index);
  if (known !== undefined) return known;
  const derived = keyed(wallet.root.deriveChild(index).privateKey);
  if (wallet.accounts.size >= keptAccounts) wallet.accounts.delete(wallet.accounts.keys().next().value);
  wallet.accounts.set(index, derived);
  return derived;
}

function sign(key, fields) {
  let transaction;
  try {
    transaction = Transaction.from(fields);
  } catch {
    throw new Refusal('invalidTransaction');
  }
  transaction.signature = key.sign(transaction.unsignedHash);
  const raw = transaction.serialized;
  // What `transaction.hash` is, for which it would be put into bytes once more.
  return { raw, hash: keccak256(raw) };
}

parentPort.on('message', async ({ id, task, ...given }) => {
  try {
    parentPort.postMessage({ id, result: await tasks[task](given) });
  } catch (error) {
    parentPort.postMessage({ id, refusal: error instanceof Refusal ? error.message : 'unexpected' });
  }
});
