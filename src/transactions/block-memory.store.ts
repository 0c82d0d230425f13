import type { Kysely } from 'kysely';
import type { BlockMemory, KnownBlock } from '#evm';
import type { Database } from '#platform';

/** The newest blocks of each network in PostgreSQL. */
export class KyselyBlockMemory implements BlockMemory {
  constructor(private readonly db: Kysely<Database>) {}

  async load(chainId: number): Promise<readonly KnownBlock[]> {
    const rows = await this.db
      .selectFrom('chain_block')
      .select(['number', 'hash', 'parent_hash'])
      .where('chain_id', '=', String(chainId))
      .execute();
    return rows.map((row) => ({ number: Number(row.number), hash: row.hash, parentHash: row.parent_hash }));
  }

  async save(chainId: number, blocks: readonly KnownBlock[], keepFrom: number): Promise<void> {
    if (blocks.length > 0) {
      await this.db
        .insertInto('chain_block')
        // In one order for all: other processes write the same blocks, some of them from the newest back.
        .values(
          blocks
            .toSorted(byHash)
            .map(({ number, hash, parentHash }) => ({ chain_id: chainId, number, hash, parent_hash: parentHash })),
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    await this.db
      .deleteFrom('chain_block')
      .where('chain_id', '=', String(chainId))
      .where('number', '<', String(keepFrom))
      .execute();
  }
}

function byHash(one: KnownBlock, other: KnownBlock): number {
  return one.hash < other.hash ? -1 : 1;
}
