import { sql, type Kysely } from 'kysely';
import type { SignerSource } from '#evm';
import type { Database } from '#platform';

export interface Suspension {
  readonly address: string;
  readonly chainId: number;
  readonly reason: string;
  readonly since: Date;
}

/**
 * The switch that keeps a signer from accepting anything; what it had accepted goes on. Its rows are locked in the order of
 * the chains, so that two who turn it at once do not wait for each other.
 */
export class SignerSuspensions {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly signers: SignerSource,
  ) {}

  /** By name or address, on these chains. @throws evm.unknownSigner */
  async suspend(signer: string, chainIds: readonly number[], reason: string): Promise<readonly Suspension[]> {
    const { address } = await this.signers.get(signer);
    await this.db
      .insertInto('chain_signer')
      .values(
        chainIds
          .toSorted((one, other) => one - other)
          .map((chainId) => ({ chain_id: chainId, address, reason, suspended_at: sql<Date>`now()` })),
      )
      .onConflict((conflict) =>
        conflict.columns(['chain_id', 'address']).doUpdateSet({
          reason,
          suspended_at: sql<Date>`coalesce(chain_signer.suspended_at, excluded.suspended_at)`,
        }),
      )
      .execute();
    return this.list(address);
  }

  /** @throws evm.unknownSigner */
  async resume(signer: string, chainIds: readonly number[]): Promise<readonly Suspension[]> {
    const { address } = await this.signers.get(signer);
    await sql`
      update chain_signer set suspended_at = null, reason = null
      from (
        select chain_id, address from chain_signer where address = ${address} and chain_id = any(${chainIds}::bigint[])
        order by chain_id for no key update) as held
      where chain_signer.chain_id = held.chain_id and chain_signer.address = held.address
    `.execute(this.db);
    return this.list(address);
  }

  /** Of one signer, or of all. */
  async list(address?: string): Promise<readonly Suspension[]> {
    let query = this.db
      .selectFrom('chain_signer')
      .selectAll()
      .where('suspended_at', 'is not', null)
      .orderBy('chain_id')
      .orderBy('address');
    if (address !== undefined) query = query.where('address', '=', address);
    return (await query.execute()).flatMap((row) =>
      row.suspended_at === null
        ? []
        : { address: row.address, chainId: Number(row.chain_id), reason: row.reason ?? '', since: row.suspended_at },
    );
  }
}
