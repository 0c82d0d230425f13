import { sql, type Kysely } from 'kysely';
import { selectorOfSignature, type TransactionDraft } from '#evm';
import type { Database, SendLimits } from '#platform';
import { PatchbayError } from '#sdk';
import type { DeclaredLimits } from './declared-limits.js';

/** What limits are looked up in, beside the API keys. */
export interface LimitsParts extends DeclaredLimits {
  /** Lower case; undefined when the chain has no contract of this name. */
  readonly addressOf: (chainId: number, contract: string) => Promise<string | undefined>;
}

/** Whose limits they are, and what is counted towards them. */
interface Applied {
  /** For people, e.g. `The flow payments`. */
  readonly who: string;
  readonly counted: { readonly column: 'origin' | 'from_address'; readonly value: string };
  readonly limits: SendLimits;
}

interface Spent {
  value: bigint;
  transactions: number;
}

/**
 * Judges new transactions by the limits of their signers, flows and API keys, in the order given: each comes back as it may be
 * sent, with the fee cap of its limits, or as the error that says which limit is in its way. It belongs into the database
 * transaction that stores them: what is limited by the day is counted under a lock that lasts as long.
 */
export async function checkLimits(
  db: Kysely<Database>,
  drafts: readonly TransactionDraft[],
  parts: LimitsParts,
): Promise<readonly (TransactionDraft | PatchbayError)[]> {
  const applied = await findApplied(db, drafts, parts);
  if (applied.every((limits) => limits.length === 0)) return drafts;
  const spent = await lockSpent(db, applied.flat());
  const checked: (TransactionDraft | PatchbayError)[] = [];
  for (const [index, draft] of drafts.entries()) {
    checked.push(await judge(draft, applied[index] ?? [], spent, parts));
  }
  return checked;
}

async function findApplied(
  db: Kysely<Database>,
  drafts: readonly TransactionDraft[],
  { signers, wallets, flows, keys }: LimitsParts,
): Promise<readonly (readonly Applied[])[]> {
  const callers = await readKeys(db, drafts);
  return drafts.map((draft) => {
    const applied: Applied[] = [];
    const add = (who: string, column: Applied['counted']['column'], limits: SendLimits | undefined): void => {
      const value = column === 'origin' ? draft.origin : draft.from;
      if (limits !== undefined && value !== undefined) applied.push({ who, counted: { column, value }, limits });
    };
    add(`The signer ${draft.signer}`, 'from_address', signers.get(draft.signer));
    const [, wallet = ''] = /^hd-(.+)-\d+$/.exec(draft.signer) ?? [];
    add(`The account ${draft.signer}`, 'from_address', wallets.get(wallet));
    const flow = nameIn(draft.origin, 'flow:');
    if (flow !== undefined) add(`The flow ${flow}`, 'origin', flows.get(flow));
    const key = callers.get(nameIn(draft.origin, 'key:') ?? '');
    if (key !== undefined) {
      add(`The API key ${key.name}`, 'origin', key.limits);
      add(`The API key ${key.name}`, 'origin', keys.get(key.name));
    }
    return applied;
  });
}

async function readKeys(
  db: Kysely<Database>,
  drafts: readonly TransactionDraft[],
): Promise<ReadonlyMap<string, { name: string; limits: SendLimits | undefined }>> {
  const ids = [...new Set(drafts.flatMap(({ origin }) => nameIn(origin, 'key:') ?? []))];
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('api_key').select(['id', 'name', 'limits']).where('id', 'in', ids).execute();
  // The column is written by ApiKeys, which takes nothing else.
  return new Map(
    rows.map((row) => [row.id, { name: row.name, limits: (row.limits as SendLimits | null) ?? undefined }]),
  );
}

function nameIn(origin: string | undefined, prefix: string): string | undefined {
  return origin?.startsWith(prefix) ? origin.slice(prefix.length) : undefined;
}

/** What was sent since midnight. In one order for all, so that no two batches wait for each other. */
async function lockSpent(db: Kysely<Database>, applied: readonly Applied[]): Promise<ReadonlyMap<string, Spent>> {
  const spent = new Map<string, Spent>();
  const byDay = new Map(
    applied
      .filter(({ limits }) => limits.valuePerDay !== undefined || limits.transactionsPerDay !== undefined)
      .map((one) => [spentKey(one), one.counted]),
  );
  for (const [name, { column, value }] of [...byDay].sort(([one], [other]) => (one < other ? -1 : 1))) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`patchbay.limits ${name}`}, 0))`.execute(db);
    const row = await db
      .selectFrom('chain_transaction')
      .select((eb) => [eb.fn.countAll<string>().as('transactions'), eb.fn.sum<string | null>('value').as('value')])
      .where(column, '=', value)
      .where('created_at', '>=', sql<Date>`date_trunc('day', now(), 'UTC')`)
      .executeTakeFirstOrThrow();
    spent.set(name, { value: BigInt(row.value ?? 0), transactions: Number(row.transactions) });
  }
  return spent;
}

function spentKey({ counted }: Applied): string {
  return `${counted.column} ${counted.value}`;
}

async function judge(
  draft: TransactionDraft,
  applied: readonly Applied[],
  spent: ReadonlyMap<string, Spent>,
  parts: LimitsParts,
): Promise<TransactionDraft | PatchbayError> {
  for (const one of applied) {
    const refusal =
      (await targetRefusal(draft, one, parts)) ?? amountRefusal(draft, one) ?? dayRefusal(draft, one, spent);
    if (refusal !== undefined) return refusal;
  }
  // Two sets of limits may be counted together.
  for (const name of new Set(applied.map(spentKey))) {
    const sum = spent.get(name);
    if (sum === undefined) continue;
    sum.value += BigInt(draft.value);
    sum.transactions += 1;
  }
  const caps = [draft.fee?.cap, ...applied.map(({ limits }) => limits.feeCap)].flatMap((cap) =>
    cap === undefined ? [] : [BigInt(cap)],
  );
  if (caps.length === 0) return draft;
  const cap = caps.reduce((lowest, one) => (one < lowest ? one : lowest));
  return { ...draft, fee: { ...draft.fee, cap: cap.toString() } };
}

async function targetRefusal(
  draft: TransactionDraft,
  { who, limits }: Applied,
  { addressOf }: LimitsParts,
): Promise<PatchbayError | undefined> {
  const { signers, contracts, functions } = limits;
  if (signers && !signers.some((name) => name === draft.signer || name.toLowerCase() === draft.from)) {
    return refuse(`${who} may not use the signer ${draft.signer}, only: ${signers.join(', ')}`, 'signers');
  }
  if (draft.to === undefined) {
    if ((!contracts && !functions) || functions?.includes('constructor')) return undefined;
    return refuse(`${who} may not deploy contracts`, 'functions');
  }
  if (contracts) {
    const to = draft.to.toLowerCase();
    const addresses = await Promise.all(
      contracts.map(async (name) => (name.startsWith('0x') ? name.toLowerCase() : addressOf(draft.chainId, name))),
    );
    if (!addresses.includes(to)) {
      return refuse(
        `${who} may not send to ${draft.about?.contract ?? to}, only to: ${contracts.join(', ')}`,
        'contracts',
      );
    }
  }
  if (functions && !functions.some((name) => isCallOf(draft, name))) {
    const called =
      draft.data === '0x' ? 'send coins without a call' : `call ${draft.about?.function ?? draft.data.slice(0, 10)}`;
    return refuse(`${who} may not ${called}, only: ${functions.join(', ')}`, 'functions');
  }
  return undefined;
}

/** The bytes decide; what the sender says about them is only believed where it fits them. */
function isCallOf({ data, about }: TransactionDraft, nameOrSignature: string): boolean {
  if (data === '0x') return nameOrSignature === 'receive';
  const selector = data.slice(0, 10).toLowerCase();
  if (nameOrSignature.includes('(')) return selectorOfSignature(nameOrSignature) === selector;
  const said = about?.function ?? '';
  return said.startsWith(`${nameOrSignature}(`) && selectorOfSignature(said) === selector;
}

function amountRefusal({ value, fee }: TransactionDraft, { who, limits }: Applied): PatchbayError | undefined {
  const { valuePerTransaction, feeCap } = limits;
  if (valuePerTransaction !== undefined && BigInt(value) > BigInt(valuePerTransaction)) {
    return refuse(
      `${who} may send ${valuePerTransaction} wei in one transaction; ${value} were asked for`,
      'valuePerTransaction',
    );
  }
  if (feeCap !== undefined && fee?.max !== undefined && BigInt(fee.max) > BigInt(feeCap)) {
    return refuse(`${who} may pay ${feeCap} wei per gas; ${fee.max} were asked for`, 'feeCap');
  }
  return undefined;
}

function dayRefusal(
  { value }: TransactionDraft,
  one: Applied,
  spent: ReadonlyMap<string, Spent>,
): PatchbayError | undefined {
  const { who, limits } = one;
  const sum = spent.get(spentKey(one));
  if (sum === undefined) return undefined;
  if (limits.transactionsPerDay !== undefined && sum.transactions >= limits.transactionsPerDay) {
    return refuse(
      `${who} may send ${String(limits.transactionsPerDay)} transactions a day, and none is left until midnight UTC`,
      'transactionsPerDay',
    );
  }
  if (limits.valuePerDay !== undefined && sum.value + BigInt(value) > BigInt(limits.valuePerDay)) {
    const left = BigInt(limits.valuePerDay) - sum.value;
    return refuse(
      `${who} may send ${limits.valuePerDay} wei a day, of which ${(left > 0n ? left : 0n).toString()} are left until midnight UTC; ${value} were asked for`,
      'valuePerDay',
    );
  }
  return undefined;
}

function refuse(detail: string, limit: keyof SendLimits): PatchbayError {
  return new PatchbayError('evm.limit', { detail, fix: `The limit is called ${limit}; who set it can change it.` });
}
