import type { Exchange, Reply, StandIn } from '../stand-in.js';

interface RpcRequest {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: readonly unknown[];
}

/** What `eth_signTransaction` takes; quantities are hexadecimal. */
interface AskedTransaction {
  readonly from?: string;
  readonly to?: string;
  readonly data?: string;
  readonly value?: string;
  readonly gas?: string;
  readonly nonce?: string;
  readonly gasPrice?: string;
  readonly maxFeePerGas?: string;
  readonly maxPriorityFeePerGas?: string;
}

export interface SignerOptions {
  /** Accounts it has the keys of; they are public, like all keys of the sandbox. */
  readonly privateKeys: readonly string[];
  /** A signer belongs to one chain, whatever it is asked. */
  readonly chainId: number;
}

/** Plays a remote signer in the manner of Web3signer: JSON-RPC, one request or a batch; it signs and sends nothing. */
export function createSigner({ privateKeys, chainId }: SignerOptions): StandIn {
  let opened: Promise<Accounts> | undefined;
  return {
    name: 'signer',
    async reply({ method, body }: Exchange): Promise<Reply> {
      if (method !== 'POST') return { status: 405, body: 'Method Not Allowed' };
      const isBatch = Array.isArray(body);
      if (!isBatch && (typeof body !== 'object' || body === null)) {
        return { status: 400, body: failure(null, -32700, 'Parse error') };
      }
      const accounts = await (opened ??= openAccounts(privateKeys));
      const requests = (isBatch ? body : [body]) as RpcRequest[];
      const answers = requests.map((request) => answer(request, accounts, chainId));
      return { status: 200, body: isBatch ? answers : answers[0] };
    },
  };
}

/** Signs for an address; loaded with the first request, because the sandbox should start at once. */
interface Accounts {
  readonly addresses: readonly string[];
  sign(from: string, fields: Readonly<Record<string, unknown>>): string | undefined;
}

async function openAccounts(privateKeys: readonly string[]): Promise<Accounts> {
  const { SigningKey } = await import('ethers/crypto');
  const { Transaction, computeAddress } = await import('ethers/transaction');
  const keys = new Map(
    privateKeys.map((privateKey) => [computeAddress(privateKey).toLowerCase(), new SigningKey(privateKey)]),
  );
  return {
    addresses: [...keys.keys()],
    sign(from, fields) {
      const key = keys.get(from.toLowerCase());
      if (key === undefined) return undefined;
      const transaction = Transaction.from(fields);
      transaction.signature = key.sign(transaction.unsignedHash);
      return transaction.serialized;
    },
  };
}

function answer({ id = null, method, params = [] }: RpcRequest, accounts: Accounts, chainId: number): unknown {
  switch (method) {
    case 'eth_accounts':
      return success(id, accounts.addresses);
    case 'eth_signTransaction':
      return sign(id, params[0] ?? {}, accounts, chainId);
    default:
      return failure(id, -32601, 'Method not found');
  }
}

function sign(id: unknown, asked: AskedTransaction, accounts: Accounts, chainId: number): unknown {
  const { from, to, data = '0x', value = '0x0', gas, nonce, gasPrice, maxFeePerGas, maxPriorityFeePerGas } = asked;
  if (from === undefined || nonce === undefined || gas === undefined) return failure(id, -32602, 'Invalid params');
  const fees = gasPrice === undefined ? { type: 2, maxFeePerGas, maxPriorityFeePerGas } : { type: 0, gasPrice };
  try {
    const raw = accounts.sign(from, {
      chainId,
      to: to ?? null,
      data,
      value,
      gasLimit: gas,
      nonce: Number(nonce),
      ...fees,
    });
    return raw === undefined ? failure(id, -32000, 'Signing from not an unlocked account') : success(id, raw);
  } catch {
    return failure(id, -32602, 'Invalid params');
  }
}

function success(id: unknown, result: unknown): unknown {
  return { jsonrpc: '2.0', id, result };
}

function failure(id: unknown, code: number, message: string): unknown {
  return { jsonrpc: '2.0', id, error: { code, message } };
}
