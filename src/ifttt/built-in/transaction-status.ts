import type { TransactionChange, TransactionStatus } from '#evm';
import { followFeed, type Feed } from '#sdk';
import type { NewItem } from '../items.store.js';
import { textOf, type FieldOffer, type FieldValues, type IngredientOffer } from '../offer.js';
import { fine, refused, type BuiltInTrigger } from './built-in-trigger.js';
import { networkField, type ChainChoices } from './chain-choices.js';

export const transactionStatusSlug = 'transaction_status';

const statuses: Readonly<Record<TransactionStatus, string>> = {
  reserved: 'is accepted',
  signed: 'is signed',
  broadcast: 'is sent',
  mined: 'is in a block',
  confirmed: 'is confirmed',
  failed: 'failed',
  cancelled: 'was cancelled',
};

export interface TransactionStatusParts {
  readonly choices: ChainChoices;
  readonly feed: Feed<TransactionChange>;
  /** What the network of a chain is called. */
  readonly networkName: (chainId: number) => string | undefined;
}

/** `transaction_status`: what becomes of the transactions that this hub sends. */
export function transactionStatus({ choices, feed, networkName }: TransactionStatusParts): BuiltInTrigger {
  return {
    offer: {
      slug: transactionStatusSlug,
      title: 'Transaction status',
      description: 'Fires when a transaction that the hub sends reaches a status.',
      fields,
      ingredients,
    },
    options: async (field) =>
      field === 'network'
        ? choices.networks()
        : Object.entries(statuses).map(([value, label]) => ({ label: `Transaction ${label}`, value })),
    async validate(values) {
      const status = textOf(values, 'status');
      const network = textOf(values, 'network');
      const isKnown = network === '' || choices.networks().some(({ value }) => value === network);
      return {
        network: isKnown ? fine : refused(`there is no network ${network}`),
        status: status in statuses ? fine : refused(`must be one of ${Object.keys(statuses).join(', ')}`),
      };
    },
    sample: async () => ({ network: '', status: 'confirmed', signer: '', contract: '', function: '' }),
    invalidSample: {},
    async watch(context) {
      const { fields: wanted, cursor, signal } = context;
      let after = cursor;
      if (after === undefined) {
        after = await feed.tail();
        await context.deliver([], after);
      }
      for await (const page of followFeed(feed, { after, signal, lookEveryMs: 5_000 })) {
        const items = page.flatMap(({ item, cursor: place }): readonly NewItem[] => {
          const network = networkName(item.transaction.chainId) ?? '';
          return isWanted(item, network, wanted) ? [itemOf(item, network, place)] : [];
        });
        await context.deliver(items, page.at(-1)!.cursor);
      }
    },
  };
}

function isWanted({ transaction, status }: TransactionChange, network: string, wanted: FieldValues): boolean {
  const { signer, from, to, contractAddress, about } = transaction;
  return (
    textOf(wanted, 'status') === status &&
    isOneOf(textOf(wanted, 'network'), [network]) &&
    isOneOf(textOf(wanted, 'signer'), [signer, from]) &&
    isOneOf(textOf(wanted, 'contract'), [about?.contract, to, contractAddress]) &&
    isOneOf(textOf(wanted, 'function').replaceAll(/\s/g, ''), [about?.function, about?.function?.split('(')[0]])
  );
}

function isOneOf(wanted: string, names: readonly (string | null | undefined)[]): boolean {
  return wanted === '' || names.includes(wanted.startsWith('0x') ? wanted.toLowerCase() : wanted);
}

function itemOf({ time, transaction, status, hash, failure }: TransactionChange, network: string, place: string) {
  const { about } = transaction;
  return {
    // Mined again after a reorganisation it reaches the same status once more, and that is no news.
    id: `${transaction.id}:${status}`,
    time,
    position: place,
    ingredients: {
      network,
      chain_id: String(transaction.chainId),
      status,
      transaction_id: transaction.id,
      transaction_hash: hash ?? '',
      signer: transaction.signer,
      from: transaction.from,
      to: transaction.to ?? '',
      contract: about?.contract ?? '',
      function: about?.function ?? '',
      value_wei: transaction.value,
      failure: failure?.detail ?? '',
      occurred_at: time,
    },
  };
}

const optional = { type: 'text', isRequired: false, isDynamic: false, isValidated: false } as const;
const fields: readonly FieldOffer[] = [
  {
    slug: 'status',
    title: 'Status',
    description: 'What it reaches',
    type: 'drop-down',
    isRequired: true,
    isDynamic: true,
    isValidated: false,
    example: 'confirmed',
  },
  { ...networkField, isRequired: false, description: 'Optional: only on this chain' },
  { ...optional, slug: 'signer', title: 'Signer', description: 'Optional: name or address', example: 'treasury' },
  {
    ...optional,
    slug: 'contract',
    title: 'Contract',
    description: 'Optional: name or address',
    example: 'loyalty-token',
  },
  { ...optional, slug: 'function', title: 'Function', description: 'Optional: name or signature', example: 'mint' },
];

function ingredient(slug: string, title: string, example: string, type: IngredientOffer['type'] = 'String') {
  return { slug, title, type, example };
}

const ingredients: readonly IngredientOffer[] = [
  ingredient('network', 'Network', 'local'),
  ingredient('chain_id', 'Chain id', '31337'),
  ingredient('status', 'Status', 'confirmed'),
  ingredient('transaction_id', 'Transaction id', '0b0e6f5e-8d8e-4d0a-9a53-6d5f2f4f9a11'),
  ingredient(
    'transaction_hash',
    'Transaction hash',
    '0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060',
  ),
  ingredient('signer', 'Signer', 'treasury'),
  ingredient('from', 'From', '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'),
  ingredient('to', 'To', '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512'),
  ingredient('contract', 'Contract', 'loyalty-token'),
  ingredient('function', 'Function', 'mint(address,uint256)'),
  ingredient('value_wei', 'Value in wei', '0'),
  ingredient('failure', 'Failure', 'The contract reverted the call'),
  ingredient('occurred_at', 'Occurred at', '2026-01-31T12:00:00.000Z', 'Date with time'),
];
