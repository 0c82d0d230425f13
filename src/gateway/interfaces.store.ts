import { createHash } from 'node:crypto';
import { sql, type Kysely, type Selectable } from 'kysely';
import type { Abi } from '#evm';
import { writeAudit, type Database } from '#platform';
import { PatchbayError } from '#sdk';
import type { CodePlace, CompiledContract, Compiler, ContractDocs } from './compile/compiled.js';

/** What can be deployed and called, under a name and a version. A version never changes. */
export interface StoredInterface {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  /** In its sources: `Name`, or `file.sol:Name`. */
  readonly contract: string;
  readonly abi: Abi;
  readonly bytecode: string | undefined;
  readonly runtimeBytecode: string | undefined;
  readonly immutables: readonly CodePlace[];
  readonly links: Readonly<Record<string, readonly CodePlace[]>>;
  readonly metadata: string | undefined;
  readonly compiler: Compiler | undefined;
  readonly docs: ContractDocs | undefined;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface InterfaceSummary {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly isDeployable: boolean;
  readonly compiler: Compiler | undefined;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface NewInterface {
  readonly name: string;
  readonly contract: CompiledContract;
  /** Standard JSON input, gzipped. */
  readonly sources: Buffer | undefined;
  readonly createdBy: string;
}

const columns = [
  'id',
  'name',
  'version',
  'contract',
  'abi',
  'bytecode',
  'runtime_bytecode',
  'immutables',
  'links',
  'metadata',
  'compiler',
  'docs',
  'created_by',
  'created_at',
] as const;

export class InterfacesStore {
  constructor(private readonly db: Kysely<Database>) {}

  /** The next version of the name, or the one that has the same content already. */
  async save({ name, contract, sources, createdBy }: NewInterface): Promise<StoredInterface> {
    return await this.db.transaction().execute(async (db) => {
      await sql`select pg_advisory_xact_lock(hashtext('interface'), hashtext(${name}))`.execute(db);
      const hash = contentHash(contract);
      const known = await db
        .selectFrom('interface')
        .select(columns)
        .where('name', '=', name)
        .where('content_hash', '=', hash)
        .executeTakeFirst();
      if (known) return toInterface(known);
      const row = await db
        .insertInto('interface')
        .values({
          name,
          version: sql<number>`(select coalesce(max(version), 0) + 1 from interface where name = ${name})`,
          contract: contract.file === undefined ? contract.name : `${contract.file}:${contract.name}`,
          abi: JSON.stringify(contract.abi),
          bytecode: contract.bytecode ?? null,
          runtime_bytecode: contract.runtimeBytecode ?? null,
          immutables: JSON.stringify(contract.immutables),
          links: JSON.stringify(contract.links),
          metadata: contract.metadata ?? null,
          compiler: contract.compiler ? JSON.stringify(contract.compiler) : null,
          docs: contract.docs ? JSON.stringify(contract.docs) : null,
          sources: sources ?? null,
          content_hash: hash,
          created_by: createdBy,
        })
        .returning(columns)
        .executeTakeFirstOrThrow();
      await writeAudit(db, {
        actor: createdBy,
        action: 'interface.register',
        subject: name,
        detail: { version: row.version },
      });
      return toInterface(row);
    });
  }

  /** Without a version, of the newest. */
  async findId(name: string, version?: number): Promise<string | undefined> {
    const row = await this.db
      .selectFrom('interface')
      .select('id')
      .where('name', '=', name)
      .$if(version !== undefined, (query) => query.where('version', '=', version ?? 0))
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.id;
  }

  async findById(id: string): Promise<StoredInterface | undefined> {
    const row = await this.db.selectFrom('interface').select(columns).where('id', '=', id).executeTakeFirst();
    return row && toInterface(row);
  }

  /** By name, the newest version of each first. */
  async list(name?: string): Promise<InterfaceSummary[]> {
    const rows = await this.db
      .selectFrom('interface')
      .select(['id', 'name', 'version', 'compiler', 'created_by', 'created_at'])
      .select(sql<boolean>`bytecode is not null`.as('is_deployable'))
      .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
      .orderBy('name')
      .orderBy('version', 'desc')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      version: row.version,
      isDeployable: row.is_deployable,
      compiler: (row.compiler as Compiler | null) ?? undefined,
      createdBy: row.created_by,
      createdAt: row.created_at,
    }));
  }

  /** Standard JSON input, gzipped; undefined when it was not compiled here. */
  async findSources(id: string): Promise<Buffer | undefined> {
    const row = await this.db.selectFrom('interface').select('sources').where('id', '=', id).executeTakeFirst();
    return row?.sources ?? undefined;
  }

  /**
   * One version, or all of them.
   *
   * @returns how many there were
   * @throws request.conflict while a contract uses one of them
   */
  async remove(name: string, version: number | undefined, actor: string): Promise<number> {
    return await this.db.transaction().execute(async (db) => {
      const rows = await db
        .selectFrom('interface')
        .select('id')
        .where('name', '=', name)
        .$if(version !== undefined, (query) => query.where('version', '=', version ?? 0))
        .forUpdate()
        .execute();
      if (rows.length === 0) return 0;
      const ids = rows.map(({ id }) => id);
      const users = await db
        .selectFrom('contract')
        .select(['name', 'address', 'network'])
        .where('interface_id', 'in', ids)
        .limit(10)
        .execute();
      if (users.length > 0) {
        const named = users.map((user) => `${user.name ?? user.address} on ${user.network}`).join(', ');
        throw new PatchbayError('request.conflict', {
          detail: `The interface ${name} is used by ${named}`,
          fix: 'Remove these contracts first, or give them another interface.',
        });
      }
      await db.deleteFrom('interface').where('id', 'in', ids).execute();
      await writeAudit(db, {
        actor,
        action: 'interface.remove',
        subject: name,
        ...(version !== undefined && { detail: { version } }),
      });
      return rows.length;
    });
  }
}

/** Of what is deployed and called. Sources may differ in what the compiler does not look at, but for its metadata. */
function contentHash({ abi, bytecode, runtimeBytecode, links, metadata }: CompiledContract): string {
  const content = JSON.stringify([
    abi,
    bytecode ?? null,
    runtimeBytecode ?? null,
    Object.entries(links).sort(),
    metadata ?? null,
  ]);
  return createHash('sha256').update(content).digest('hex');
}

type Row = Pick<Selectable<Database['interface']>, (typeof columns)[number]>;

function toInterface(row: Row): StoredInterface {
  // Written by `save` from the same types.
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    contract: row.contract,
    abi: row.abi as Abi,
    bytecode: row.bytecode ?? undefined,
    runtimeBytecode: row.runtime_bytecode ?? undefined,
    immutables: (row.immutables as CodePlace[] | null) ?? [],
    links: (row.links as StoredInterface['links'] | null) ?? {},
    metadata: row.metadata ?? undefined,
    compiler: (row.compiler as Compiler | null) ?? undefined,
    docs: (row.docs as ContractDocs | null) ?? undefined,
    createdBy: row.created_by,
    createdAt: row.created_at,
  };
}
