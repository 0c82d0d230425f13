import { PatchbayError, type HttpClient, type Secret } from '#sdk';
import { toQuantity } from '../block.js';
import type { SignedTransaction, Signer, UnsignedTransaction } from '../signer.js';
import { assembleSigned } from './digest-signature.js';
import { transactionFields } from './transaction-fields.js';

export interface RemoteSignerOptions {
  readonly name: string;
  readonly url: string;
  /** Which of its accounts signs. Absent: it is asked for, and has to have exactly one. */
  readonly address: string | undefined;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly http: HttpClient;
  /** For one exchange. Default 10,000. */
  readonly timeoutMs?: number;
}

interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message?: unknown };
}

const largestBatch = 100;
/** Signatures asked for at a time of a signer that takes no batches. */
const largestParallel = 10;

/**
 * A signer behind JSON-RPC, as Web3signer speaks it (`eth_accounts`, `eth_signTransaction`). Of its answer only the
 * signature is used: fields are compared with what was asked for, and the bytes are put together here.
 *
 * @throws evm.signerUnavailable when it has to be asked for its address and cannot be reached
 * @throws config.invalid when it has several accounts and none was chosen
 */
export async function openRemoteSigner(options: RemoteSignerOptions): Promise<Signer> {
  const remote = new RemoteSigner(options);
  const { name, address } = options;
  if (address !== undefined) return remote.signerOf(address.toLowerCase());
  const accounts = await remote.accounts();
  const [only] = accounts;
  if (accounts.length === 1 && only !== undefined) return remote.signerOf(only);
  throw new PatchbayError('config.invalid', {
    detail: `The remote signer ${name} has ${accounts.length} accounts`,
    fix:
      accounts.length === 0 ? 'Give it a key.' : `Choose one with address:, e.g. ${accounts.slice(0, 5).join(', ')}.`,
  });
}

class RemoteSigner {
  readonly #options: RemoteSignerOptions;
  #takesBatches = true;
  #lastId = 0;

  constructor(options: RemoteSignerOptions) {
    this.#options = options;
  }

  signerOf(address: string): Signer {
    return {
      name: this.#options.name,
      address,
      signTransaction: (transaction) => this.#sign(address, transaction),
      signTransactions: (batch) => this.#signBatch(address, batch),
      check: async () => {
        const accounts = await this.accounts();
        if (!accounts.includes(address)) throw this.#unavailable(`does not know the address ${address}`);
      },
    };
  }

  async accounts(): Promise<string[]> {
    const accounts = resultOf(await this.#post(this.#request({ method: 'eth_accounts', params: [] })));
    if (!Array.isArray(accounts)) throw this.#unavailable('did not answer eth_accounts with a list');
    return accounts.map((account) => String(account).toLowerCase());
  }

  async #sign(address: string, transaction: UnsignedTransaction): Promise<SignedTransaction> {
    return this.#checked(address, transaction, await this.#post(this.#request(signCall(address, transaction))));
  }

  async #signBatch(address: string, batch: readonly UnsignedTransaction[]): Promise<SignedTransaction[]> {
    const signed: SignedTransaction[] = [];
    for (let at = 0; at < batch.length;) {
      const chunk = batch.slice(at, at + (this.#takesBatches ? largestBatch : largestParallel));
      const answers = this.#takesBatches ? await this.#postBatch(address, chunk) : undefined;
      signed.push(
        ...(await Promise.all(
          chunk.map((transaction, place) =>
            answers === undefined
              ? this.#sign(address, transaction)
              : this.#checked(address, transaction, answers[place]),
          ),
        )),
      );
      at += chunk.length;
    }
    return signed;
  }

  /** Answers in the order of the transactions; undefined when the other side understands no batches. */
  async #postBatch(address: string, batch: readonly UnsignedTransaction[]): Promise<unknown[] | undefined> {
    const requests = batch.map((transaction) => this.#request(signCall(address, transaction)));
    const answer = await this.#post(requests);
    if (!Array.isArray(answer)) {
      this.#takesBatches = false;
      return undefined;
    }
    const byId = new Map((answer as Answer[]).map((one) => [one.id, one]));
    return requests.map(({ id }) => byId.get(id));
  }

  async #checked(address: string, asked: UnsignedTransaction, answer: unknown): Promise<SignedTransaction> {
    const result = resultOf(answer);
    // Some answer with the decoded transaction beside the bytes.
    const raw = typeof result === 'object' && result !== null && 'raw' in result ? result.raw : result;
    if (typeof raw !== 'string') {
      throw this.#unavailable(`did not sign: ${errorText(answer) ?? 'the answer has no signed transaction'}`);
    }
    const { Transaction } = await import('ethers/transaction');
    const got = this.#parsed(() => Transaction.from(raw));
    const wanted = Transaction.from(transactionFields(asked));
    const altered = comparedFields.find((field) => got[field] !== wanted[field]);
    if (altered !== undefined || got.unsignedHash !== wanted.unsignedHash || got.signature === null) {
      throw this.#unavailable(`signed another transaction than was asked for: ${altered ?? 'its form'} differs`);
    }
    const { r, _s: s } = got.signature;
    return assembleSigned(asked, { r: BigInt(r), s: BigInt(s) }, { name: this.#options.name, address });
  }

  #parsed<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      throw this.#unavailable('answered with bytes that are no signed transaction', error);
    }
  }

  #request(call: Call): Call & { readonly jsonrpc: '2.0'; readonly id: number } {
    this.#lastId += 1;
    return { jsonrpc: '2.0', id: this.#lastId, ...call };
  }

  async #post(payload: unknown): Promise<unknown> {
    const { http, url, headers, timeoutMs = 10_000 } = this.#options;
    const revealed = Object.entries(headers).map(([name, value]) => [name, value.reveal()] as const);
    const body = JSON.stringify(payload);
    try {
      const response = await http.request({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', ...Object.fromEntries(revealed) },
        body,
        timeoutMs,
        // Signed bytes as hexadecimal text are a little longer than what was asked for.
        maxBytes: 65_536 + 4 * body.length,
        redact: revealed.map(([, value]) => value),
      });
      return response.body;
    } catch (error) {
      const failure = PatchbayError.from(error);
      // Only the operator can change what may be called.
      if (failure.code === 'target.forbidden') throw failure;
      throw this.#unavailable(`cannot be used: ${failure.detail}`, failure);
    }
  }

  #unavailable(what: string, cause?: unknown): PatchbayError {
    return new PatchbayError('evm.signerUnavailable', {
      detail: `The remote signer ${this.#options.name} ${what}`,
      cause,
    });
  }
}

/** Named in errors; the hash that is signed covers these and everything else. */
const comparedFields = [
  'type',
  'chainId',
  'nonce',
  'to',
  'data',
  'value',
  'gasLimit',
  'gasPrice',
  'maxFeePerGas',
  'maxPriorityFeePerGas',
] as const;

function signCall(from: string, { fee, ...parts }: UnsignedTransaction): Call {
  const transaction = {
    from,
    ...(parts.to !== undefined && { to: parts.to }),
    data: parts.data,
    value: toQuantity(parts.value),
    gas: toQuantity(parts.gasLimit),
    nonce: toQuantity(parts.nonce),
    chainId: toQuantity(parts.chainId),
    ...(fee.tip === undefined
      ? { gasPrice: toQuantity(fee.max) }
      : { maxFeePerGas: toQuantity(fee.max), maxPriorityFeePerGas: toQuantity(fee.tip) }),
  };
  return { method: 'eth_signTransaction', params: [transaction] };
}

function resultOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'result' in answer ? answer.result : undefined;
}

function errorText(answer: unknown): string | undefined {
  const message = (answer as Answer | undefined)?.error?.message;
  return typeof message === 'string' ? message.slice(0, 200) : undefined;
}
