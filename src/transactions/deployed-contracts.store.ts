import { sql, type Kysely } from 'kysely';
import { createAddress, type NewTransaction } from '#evm';
import { writeAudit, type Database } from '#platform';
import { PatchbayError } from '#sdk';

/** An instance on a chain that is to be known here. */
export interface NewContract {
  readonly network: string;
  /** Lower case. */
  readonly address: string;
  readonly name: string | undefined;
  readonly interfaceId: string;
  /** That deploys it. */
  readonly transactionId: string | undefined;
  readonly createdBy: string;
}

const uniqueViolation = '23505';

/**
 * Within a transaction: that of a deployment reserves its nonce.
 *
 * @throws request.conflict when its name or its address is taken on that network
 */
export async function keepContract(db: Kysely<Database>, contract: NewContract): Promise<void> {
  // What was never deployed gives its name and its address back.
  await sql`
    delete from contract c using chain_transaction t
    where t.id = c.transaction_id and t.status in ('failed', 'cancelled') and c.network = ${contract.network}
      and (c.name = ${contract.name ?? null} or c.address = ${contract.address})`.execute(db);
  await refusingTwins(contract.network, () =>
    db
      .insertInto('contract')
      .values({
        network: contract.network,
        address: contract.address,
        name: contract.name ?? null,
        interface_id: contract.interfaceId,
        transaction_id: contract.transactionId ?? null,
        created_by: contract.createdBy,
      })
      .execute(),
  );
  await writeAudit(db, {
    actor: contract.createdBy,
    action: contract.transactionId === undefined ? 'contract.register' : 'contract.deploy',
    subject: contract.name ?? contract.address,
    detail: { network: contract.network, address: contract.address },
  });
}

/** What a transaction deploys, now that it has its nonce; empty where it deploys nothing that is to be known. */
export function contractOf(
  sent: NewTransaction | undefined,
  { id, nonce }: { readonly id: string; readonly nonce: number | string },
): NewContract[] {
  if (sent?.deploys === undefined) return [];
  return [{ ...sent.deploys, address: createAddress(sent.from, Number(nonce)), transactionId: id }];
}

/** @throws request.conflict instead of what the database says about it */
export async function refusingTwins<T>(network: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code !== uniqueViolation) throw error;
    const isName = constraint?.includes('name') === true;
    throw new PatchbayError('request.conflict', {
      detail: `There is a contract with this ${isName ? 'name' : 'address'} on ${network} already`,
      fix: isName ? 'Choose another name, or rename that one.' : 'Change that one, or remove it first.',
      faults: [{ pointer: isName ? '#/name' : '#/address', detail: 'It is taken' }],
      cause: error,
    });
  }
}
