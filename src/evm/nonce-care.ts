import type { Logger } from '#sdk';
import { parseQuantity, type BlockHeader } from './block.js';
import type { InFlight, InFlightWindow } from './in-flight.js';
import type { Outcomes } from './outcomes.js';
import { findMined } from './receipt.js';
import type { RpcClient } from './rpc-client.js';
import { countTransactions } from './sender-nonces.js';
import type { Signer } from './signer.js';
import type { TransactionDraft, TransactionStore } from './transaction-store.js';

export interface NonceCareOptions {
  readonly rpc: RpcClient;
  readonly store: TransactionStore;
  readonly signer: Signer;
  readonly outcomes: Outcomes;
  readonly log: Logger;
}

/**
 * Why the oldest transaction of a signer is not mined. `underpriced`: a node has it and nobody takes it. `forgotten`: no node
 * has it. `filled`: an earlier nonce was missing and is being filled. `waiting`: not clear yet.
 */
export type StuckCause = 'underpriced' | 'forgotten' | 'filled' | 'waiting';

/** Looks at a nonce that seems missing, or used by somebody else, are this far apart before it is believed. */
const doubtMs = 10_000;
/** A longer gap means another chain or a lost database, and is nothing to be filled unasked. */
const longestGap = 256;
const headFreshMs = 500;

/** The ledger's nonces against the chain's count: gaps are filled, what was mined by somebody else is found out. */
export class NonceCare {
  readonly #options: NonceCareOptions;
  readonly #doubts = new Map<string, number>();
  #head: { number: number; at: number } | undefined;

  constructor(options: NonceCareOptions) {
    this.#options = options;
  }

  note(head: BlockHeader): void {
    this.#head = { number: head.number, at: performance.now() };
  }

  /** The newest block that was heard of. */
  get lastHead(): number {
    return this.#head?.number ?? 0;
  }

  /** Number of the newest block, half a second old at most. */
  async head(): Promise<number> {
    const known = this.#head;
    if (known && performance.now() - known.at < headFreshMs) return known.number;
    const number = parseQuantity(await this.#options.rpc.request('eth_blockNumber'));
    this.#head = { number, at: performance.now() };
    return number;
  }

  /** At the start: nonces between the chain's count and the first unfinished one belong to nobody any more. */
  async reconcile(window: InFlightWindow): Promise<void> {
    const { store, rpc, signer } = this.#options;
    const [first] = await store.listUnfinished(rpc.chainId, signer.address, -1, 1);
    const next = first?.nonce ?? (await store.nextNonce(rpc.chainId, signer.address));
    if (next === undefined) return;
    const count = await countTransactions(rpc, signer.address, 'pending');
    if (count < next) await this.#fill(window, count, next);
  }

  /** A node says that the nonce is used. By one of our attempts, or by a stranger? */
  async tooLow(window: InFlightWindow, all: readonly InFlight[]): Promise<void> {
    const { rpc, outcomes } = this.#options;
    const hashes = all.flatMap(({ record }) => record.attempts.map(({ hash }) => hash));
    await outcomes.mined(window, await findMined(rpc, hashes));
    for (const one of all) {
      if (one.receipt) {
        this.#doubts.delete(one.record.id);
        continue;
      }
      // A receipt can come late; until then nothing is sent again at once.
      one.isDue = false;
      one.sentAt ??= performance.now();
      if (this.#isDoubtOld(one.record.id)) await this.#judge(window, one);
    }
  }

  async whyStuck(window: InFlightWindow, lowest: InFlight): Promise<StuckCause> {
    const { rpc, signer } = this.#options;
    const { record } = lowest;
    const count = await countTransactions(rpc, signer.address, 'latest');
    if (count > record.nonce) {
      await this.tooLow(window, [lowest]);
      return 'waiting';
    }
    if (count < record.nonce) {
      if (!this.#isDoubtOld(`gap:${String(count)}`)) return 'waiting';
      this.#doubts.delete(`gap:${String(count)}`);
      await this.#fill(window, count, record.nonce);
      return 'filled';
    }
    const hash = record.attempts.at(-1)?.hash;
    const seen = await rpc.requestAll<unknown>('eth_getTransactionByHash', [hash]);
    return seen.every((transaction) => transaction === null) ? 'forgotten' : 'underpriced';
  }

  /** The chain has not got as far as the ledger: what is known is sent again, what is unknown becomes a transaction of nothing. */
  async #fill(window: InFlightWindow, first: number, next: number): Promise<void> {
    const { store, rpc, signer, log } = this.#options;
    if (next - first > longestGap) {
      log.error('The chain is far behind the ledger; is it still the same chain?', {
        signer: signer.name,
        chainCount: first,
        ledgerNext: next,
      });
      return;
    }
    const known = new Map(
      (await store.listNonces(rpc.chainId, signer.address, first, next - 1)).map((record) => [record.nonce, record]),
    );
    for (let nonce = first; nonce < next; nonce++) {
      const record = known.get(nonce);
      const bytes = record?.attempts.find(({ hash }) => hash === record.place?.hash) ?? record?.attempts.at(-1);
      if (bytes) {
        log.warn('A final transaction is missing on the chain and is sent again', { transaction: record?.id, nonce });
        await rpc.request('eth_sendRawTransaction', [bytes.raw]).catch((error: unknown) => {
          log.info('It was not taken', { nonce, reason: String(error) });
        });
      } else if (!record) {
        log.warn('A missing nonce is filled with a transaction of nothing', { signer: signer.name, nonce });
        await store.fillNonce(fillerDraft(rpc.chainId, signer, nonce), nonce);
      }
    }
    for (const record of await store.listUnfinished(rpc.chainId, signer.address, first - 1, next - first)) {
      if (record.nonce < next) window.add(record);
    }
  }

  /** No attempt has a receipt although the nonce is used. One answer is not enough: nodes lag, and receipts come late. */
  async #judge(window: InFlightWindow, one: InFlight): Promise<void> {
    const { rpc, store, log } = this.#options;
    for (const { hash } of one.record.attempts) {
      const seen = await rpc.requestAll('eth_getTransactionByHash', [hash]);
      if (seen.some((transaction) => transaction !== null)) return;
    }
    this.#doubts.delete(one.record.id);
    log.error('A nonce was used by somebody else', { from: one.record.from, nonce: one.record.nonce });
    const detail = `Nonce ${String(one.record.nonce)} of ${one.record.from} was used by a transaction that is not ours`;
    const { id, place } = one.record;
    await store.setStatus([
      {
        id,
        status: 'failed',
        failure: { code: 'evm.nonceTaken', detail },
        ...(place && { goneBlock: place.blockHash }),
      },
    ]);
    window.remove(one);
  }

  #isDoubtOld(subject: string): boolean {
    const since = this.#doubts.get(subject);
    if (since === undefined) this.#doubts.set(subject, performance.now());
    return since !== undefined && performance.now() - since >= doubtMs;
  }
}

function fillerDraft(chainId: number, { name, address }: Signer, nonce: number): TransactionDraft {
  const key = `gap:${String(chainId)}:${address}:${String(nonce)}`;
  return {
    idempotencyKey: key,
    payloadHash: key,
    chainId,
    signer: name,
    from: address,
    to: address,
    data: '0x',
    value: '0',
    gasLimit: '21000',
    finality: 0,
    fee: undefined,
    about: undefined,
    origin: undefined,
  };
}
