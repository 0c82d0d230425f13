import type { TransactionChange } from '#evm';
import type { Feed, FeedEntry } from '#sdk';
import { DevChain } from '../../evm/testing/dev-chain.js';

/** The changes of transactions that a stream carries: those that a spec wants, in their order. */
export class ChangeFeed implements Feed<TransactionChange> {
  constructor(public changes: readonly TransactionChange[] = []) {}

  async read(after: string | undefined, limit: number): Promise<FeedEntry<TransactionChange>[]> {
    const all = this.changes.map((item, index) => ({ item, cursor: cursorOf(index) }));
    return all.filter(({ cursor }) => after === undefined || cursor > after).slice(0, limit);
  }

  async tail(): Promise<string> {
    return cursorOf(this.changes.length - 1);
  }

  onMore(): () => void {
    return () => undefined;
  }
}

const cursorOf = (index: number) => String(index + 1).padStart(6, '0');

export function aChange(index: number, overrides: Partial<TransactionChange> = {}): TransactionChange {
  return {
    id: `change-${index + 1}`,
    transaction: {
      id: `transaction-${index + 1}`,
      idempotencyKey: `key-${index + 1}`,
      chainId: DevChain.chainId,
      signer: 'treasury',
      from: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
      to: '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc',
      nonce: index,
      value: '0',
      contractAddress: null,
      about: null,
      origin: null,
    },
    network: 'local',
    status: 'confirmed',
    hash: null,
    place: null,
    failure: null,
    reason: null,
    time: '2026-01-05T10:00:00.000Z',
    ...overrides,
  };
}
