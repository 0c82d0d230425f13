import { transactionStatuses } from '#evm';
import type { FlowsService } from '#flows';
import type { RunsQueries } from '#runs';
import { PatchbayError } from '#sdk';
import type { TransactionsQueries } from '#transactions';
import { textOf, type FieldOffer, type FieldValues, type IngredientOffer, type Offer, type Option } from './offer.js';

export interface QueryPage {
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

/** One list of the hub that an Applet may read. */
export interface Query {
  readonly offer: Offer;
  options(field: string): readonly Option[];
  read(fields: FieldValues, page: { readonly limit: number; readonly cursor: string | undefined }): Promise<QueryPage>;
}

export interface QueriesParts {
  readonly flows: FlowsService;
  readonly runs: RunsQueries;
  readonly transactions: TransactionsQueries;
}

const runStates = ['queued', 'running', 'completed', 'failed', 'cancelled'];

export function createQueries({ flows, runs, transactions }: QueriesParts): ReadonlyMap<string, Query> {
  const listRuns: Query = {
    offer: {
      slug: 'list_runs',
      title: 'List runs',
      description: 'Runs of flows, newest first.',
      fields: [
        field('flow', 'Flow', 'Optional: of one flow', true),
        field('state', 'State', 'Optional: in one state', true),
      ],
      ingredients: [
        ingredient('run_id', 'Run id', '0b0e6f5e-8d8e-4d0a-9a53-6d5f2f4f9a11'),
        ingredient('flow', 'Flow', 'large-transfer'),
        ingredient('state', 'State', 'completed'),
        ingredient('error', 'Error', ''),
        ingredient('created_at', 'Created at', '2026-01-31T12:00:00.000Z', 'Date with time'),
        ingredient('finished_at', 'Finished at', '2026-01-31T12:00:01.000Z', 'Date with time'),
      ],
    },
    options: (name) =>
      name === 'flow' ? flows.list().map((flow) => choice(flow.name)) : runStates.map((state) => choice(state)),
    async read(fields, { limit, cursor }) {
      const state = oneOf(fields, 'state', runStates);
      const flow = textOf(fields, 'flow');
      if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) throw unknownCursor(cursor);
      const page = await runs.runs({
        limit,
        ...(flow !== '' && { flow }),
        ...(state !== '' && { state }),
        ...(cursor !== undefined && { before: cursor }),
      });
      return {
        rows: page.items.map((run) => ({
          run_id: run.id,
          flow: run.flow,
          state: run.state,
          error: messageOf(run.error),
          created_at: run.createdAt.toISOString(),
          finished_at: run.finishedAt?.toISOString() ?? '',
        })),
        ...(page.next !== undefined && { cursor: page.next }),
      };
    },
  };
  const listTransactions: Query = {
    offer: {
      slug: 'list_transactions',
      title: 'List transactions',
      description: 'Transactions that the hub sent, newest first.',
      fields: [
        field('status', 'Status', 'Optional: with one status', true),
        field('signer', 'Signer', 'Optional: name or address', false),
      ],
      ingredients: [
        ingredient('transaction_id', 'Transaction id', '0b0e6f5e-8d8e-4d0a-9a53-6d5f2f4f9a11'),
        ingredient('transaction_hash', 'Transaction hash', '0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204'),
        ingredient('network', 'Network', 'local'),
        ingredient('status', 'Status', 'confirmed'),
        ingredient('signer', 'Signer', 'treasury'),
        ingredient('contract', 'Contract', 'loyalty-token'),
        ingredient('function', 'Function', 'mint(address,uint256)'),
        ingredient('value_wei', 'Value in wei', '0'),
        ingredient('created_at', 'Created at', '2026-01-31T12:00:00.000Z', 'Date with time'),
      ],
    },
    options: () => transactionStatuses.map((status) => choice(status)),
    async read(fields, { limit, cursor }) {
      const status = oneOf(fields, 'status', transactionStatuses);
      const signer = textOf(fields, 'signer');
      const page = await transactions.list({
        limit,
        ...(status !== '' && { status: [status] }),
        ...(signer !== '' && { signer }),
        ...(cursor !== undefined && { before: cursor }),
      });
      return {
        rows: page.items.map((one) => ({
          transaction_id: one.id,
          transaction_hash: one.hash ?? '',
          network: one.network ?? '',
          status: one.status,
          signer: one.signer,
          contract: one.about?.contract ?? '',
          function: one.about?.function ?? '',
          value_wei: one.value,
          created_at: one.createdAt.toISOString(),
        })),
        ...(page.next !== undefined && { cursor: page.next }),
      };
    },
  };
  return new Map([listRuns, listTransactions].map((query) => [query.offer.slug, query]));
}

function oneOf(fields: FieldValues, name: string, known: readonly string[]): string {
  const value = textOf(fields, name);
  if (value === '' || known.includes(value)) return value;
  throw new PatchbayError('request.invalid', { detail: `${name} must be one of ${known.join(', ')}` });
}

function unknownCursor(cursor: string): PatchbayError {
  return new PatchbayError('request.invalid', { detail: `cursor is no place in this list: ${cursor.slice(0, 100)}` });
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
}

function choice(value: string): Option {
  return { label: value, value };
}

function field(slug: string, title: string, description: string, isDynamic: boolean): FieldOffer {
  const type = isDynamic ? 'drop-down' : 'text';
  return { slug, title, description, type, isRequired: false, isDynamic, isValidated: false, example: '' };
}

function ingredient(slug: string, title: string, example: string, type: IngredientOffer['type'] = 'String') {
  return { slug, title, type, example };
}
