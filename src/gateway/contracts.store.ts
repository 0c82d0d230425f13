import type { Kysely } from 'kysely';
import { writeAudit, type Database } from '#platform';
import { keepContract, refusingTwins, type NewContract } from '#transactions';

/** `deploying`: its transaction is not mined yet. `failed`: it never will be there. */
export type ContractState = 'deployed' | 'deploying' | 'failed';

/** An instance on a chain, with the interface that it is called by. */
export interface StoredContract {
  readonly id: string;
  readonly network: string;
  /** Lower case. */
  readonly address: string;
  readonly name: string | undefined;
  readonly interfaceId: string;
  readonly interface: string;
  readonly version: number;
  readonly state: ContractState;
  /** That deployed it. */
  readonly transactionId: string | undefined;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export class ContractsStore {
  constructor(private readonly db: Kysely<Database>) {}

  /** @throws request.conflict when its name or its address is taken on that network */
  async add(contract: NewContract): Promise<void> {
    await this.db.transaction().execute((db) => keepContract(db, contract));
  }

  /** By name, or by address in lower case. */
  async find(network: string, nameOrAddress: string): Promise<StoredContract | undefined> {
    const isAddress = nameOrAddress.startsWith('0x');
    const row = await this.#select()
      .where('contract.network', '=', network)
      .where(isAddress ? 'contract.address' : 'contract.name', '=', nameOrAddress)
      .executeTakeFirst();
    return row && toContract(row);
  }

  async list(network?: string): Promise<StoredContract[]> {
    const rows = await this.#select()
      .$if(network !== undefined, (query) => query.where('contract.network', '=', network ?? ''))
      .orderBy('contract.network')
      .orderBy('contract.name')
      .orderBy('contract.address')
      .execute();
    return rows.map(toContract);
  }

  async names(network: string): Promise<string[]> {
    const rows = await this.db
      .selectFrom('contract')
      .select('name')
      .where('network', '=', network)
      .where('name', 'is not', null)
      .orderBy('name')
      .execute();
    return rows.flatMap(({ name }) => name ?? []);
  }

  /** Some transaction has it. */
  async isKeyUsed(idempotencyKey: string): Promise<boolean> {
    const row = await this.db
      .selectFrom('chain_transaction')
      .select('id')
      .where('idempotency_key', '=', idempotencyKey)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** @throws request.conflict when the name is taken */
  async change(
    contract: StoredContract,
    change: { readonly name?: string | null; readonly interfaceId?: string },
    actor: string,
  ): Promise<void> {
    await refusingTwins(contract.network, () =>
      this.db.transaction().execute(async (db) => {
        await db
          .updateTable('contract')
          .set({
            ...(change.name !== undefined && { name: change.name }),
            ...(change.interfaceId !== undefined && { interface_id: change.interfaceId }),
          })
          .where('id', '=', contract.id)
          .execute();
        await writeAudit(db, {
          actor,
          action: 'contract.change',
          subject: contract.name ?? contract.address,
          detail: { network: contract.network, address: contract.address, ...change },
        });
      }),
    );
  }

  async remove(contract: StoredContract, actor: string): Promise<void> {
    await this.db.transaction().execute(async (db) => {
      await db.deleteFrom('contract').where('id', '=', contract.id).execute();
      await writeAudit(db, {
        actor,
        action: 'contract.remove',
        subject: contract.name ?? contract.address,
        detail: { network: contract.network, address: contract.address },
      });
    });
  }

  #select() {
    return this.db
      .selectFrom('contract')
      .innerJoin('interface', 'interface.id', 'contract.interface_id')
      .leftJoin('chain_transaction', 'chain_transaction.id', 'contract.transaction_id')
      .select([
        'contract.id',
        'contract.network',
        'contract.address',
        'contract.name',
        'contract.interface_id',
        'contract.transaction_id',
        'contract.created_by',
        'contract.created_at',
        'interface.name as interface',
        'interface.version',
        'chain_transaction.status',
      ]);
  }
}

interface Row {
  readonly id: string;
  readonly network: string;
  readonly address: string;
  readonly name: string | null;
  readonly interface_id: string;
  readonly transaction_id: string | null;
  readonly created_by: string;
  readonly created_at: Date;
  readonly interface: string;
  readonly version: number;
  readonly status: string | null;
}

function toContract(row: Row): StoredContract {
  return {
    id: row.id,
    network: row.network,
    address: row.address,
    name: row.name ?? undefined,
    interfaceId: row.interface_id,
    interface: row.interface,
    version: row.version,
    state: row.transaction_id === null ? 'deployed' : stateOf(row.status),
    transactionId: row.transaction_id ?? undefined,
    createdBy: row.created_by,
    createdAt: row.created_at,
  };
}

function stateOf(status: string | null): ContractState {
  if (status === 'mined' || status === 'confirmed') return 'deployed';
  return status === 'failed' || status === 'cancelled' ? 'failed' : 'deploying';
}
