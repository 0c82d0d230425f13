import { SigningKey } from 'ethers/crypto';
import { Transaction } from 'ethers/transaction';
import { nowMs, optionsOf, say, untilStopped } from './part-process.js';

export interface BareSenderOptions {
  readonly url: string;
  readonly privateKey: string;
  readonly nonce: number;
  readonly count: number;
  readonly to: string;
}

export interface BareSent {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

const batchSize = 100;
const warmUp = 500;

// Signs a batch as the hub's signing thread does it, sends it, and so on. It stores nothing: what a lost answer or a restart
// leaves behind it does not know, and only one such process may use the signer.
const { url, privateKey, nonce, count, to } = optionsOf<BareSenderOptions>();
const key = new SigningKey(privateKey);

// As warm as the hub, whose first transactions are not measured either.
for (let number = 0; number < warmUp; number += 1) sign(number);

const startedAtMs = nowMs();
for (let done = 0; done < count; done += batchSize) {
  await send(Array.from({ length: Math.min(batchSize, count - done) }, (_, offset) => sign(nonce + done + offset)));
}
const sent: BareSent = { startedAtMs, endedAtMs: nowMs() };
say(sent);
await untilStopped();
process.exit(0);

function sign(ofNonce: number): string {
  const transaction = Transaction.from({
    type: 2,
    chainId: 31_337,
    nonce: ofNonce,
    to,
    data: '0x',
    value: 1n,
    gasLimit: 21_000n,
    maxFeePerGas: 3_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  });
  transaction.signature = key.sign(transaction.unsignedHash);
  return transaction.serialized;
}

async function send(raws: readonly string[]): Promise<void> {
  const calls = raws.map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] }));
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(calls),
  });
  const answers = (await response.json()) as readonly { readonly error?: { readonly message: string } }[];
  const refused = answers.find(({ error }) => error !== undefined);
  if (refused !== undefined) throw new Error(`The chain refused a transaction: ${refused.error?.message}`);
}
