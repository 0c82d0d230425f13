import { hash } from 'node:crypto';
import fc from 'fast-check';

export interface ModelBlock<Transaction> {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly transactions: readonly Transaction[];
}

/** That many blocks leave the chain, and so many new ones come; whether what they had stays known. */
export interface Reorganisation {
  readonly kind: 'reorganises';
  readonly depth: number;
  readonly blocks: number;
  readonly keeps: boolean;
}

/** A node behind answers: for so many calls the chain looks as it was that many changes ago. */
export interface Lag {
  readonly kind: 'lags';
  readonly calls: number;
  readonly behind: number;
}

export const branchTurns = [
  fc.record<Reorganisation>({
    kind: fc.constant('reorganises'),
    depth: fc.integer({ min: 1, max: 3 }),
    blocks: fc.nat({ max: 4 }),
    keeps: fc.boolean(),
  }),
  fc.record<Lag>({
    kind: fc.constant('lags'),
    calls: fc.integer({ min: 1, max: 6 }),
    behind: fc.integer({ min: 1, max: 4 }),
  }),
] as const;

export function hexHash(text: string): string {
  return `0x${hash('sha256', text, 'hex')}`;
}

/** A chain in memory that changes, and how a node that lags has it. */
export class ModelBlocks<Transaction> {
  #blocks: readonly ModelBlock<Transaction>[] = [
    { number: 0, hash: hexHash('0'), parentHash: hexHash(''), transactions: [] },
  ];
  readonly #history: (readonly ModelBlock<Transaction>[])[] = [];
  #view: readonly ModelBlock<Transaction>[] = [];
  #lagging = 0;
  #longest = 1;
  #made = 0;

  /** @param deepest – blocks below the highest that there ever was may leave the chain, and no others */
  constructor(private readonly deepest = Infinity) {}

  get all(): readonly ModelBlock<Transaction>[] {
    return this.#blocks;
  }

  get isLagging(): boolean {
    return this.#lagging > 0;
  }

  append(transactions: readonly Transaction[]): void {
    this.#extend(this.#blocks, [transactions]);
  }

  /**
   * @param fresh – what each of the new blocks has, of what those had that leave
   * @returns what those had that left
   */
  reorganise(
    { depth, blocks: count }: Reorganisation,
    fresh: (gone: readonly Transaction[], place: number) => readonly Transaction[] = () => [],
  ): readonly Transaction[] {
    const { length } = this.#blocks;
    const stays = Math.min(length, Math.max(1, length - depth, this.#longest - this.deepest));
    const gone = this.#blocks.slice(stays).flatMap(({ transactions }) => transactions);
    const added = Array.from({ length: count }, (_, place) => fresh(gone, place));
    this.#extend(this.#blocks.slice(0, stays), added);
    return gone;
  }

  lag({ calls, behind }: Lag): void {
    this.#view = this.#history.at(-behind) ?? this.#blocks;
    this.#lagging = calls;
  }

  /** As whoever answers the next call has them. */
  answering(): readonly ModelBlock<Transaction>[] {
    if (this.#lagging === 0) return this.#blocks;
    this.#lagging -= 1;
    return this.#view;
  }

  #extend(base: readonly ModelBlock<Transaction>[], fresh: readonly (readonly Transaction[])[]): void {
    this.#history.push(this.#blocks);
    const blocks = [...base];
    for (const transactions of fresh) {
      const parentHash = blocks.at(-1)?.hash ?? '';
      const own = hexHash(`block ${String((this.#made += 1))}`);
      blocks.push({ number: blocks.length, hash: own, parentHash, transactions });
    }
    this.#blocks = blocks;
    this.#longest = Math.max(this.#longest, blocks.length);
  }
}
