import {
  argumentNames,
  formatUnits,
  parseUnits,
  readDecimals,
  signatureOf,
  type Abi,
  type AbiFragment,
  type Contract,
  type ContractEvent,
  type Network,
} from '#evm';
import { PatchbayError } from '#sdk';
import { textOf, type FieldOffer, type FieldValues, type IngredientOffer, type Validity } from '../offer.js';
import { fine, refused, type BuiltInTrigger } from './built-in-trigger.js';
import {
  eventsOf,
  faultsOf,
  isAddressOrEmpty,
  lookUp,
  networkField,
  refusedBy,
  type ChainChoices,
} from './chain-choices.js';
import { watchLogs } from './contract-event.js';

export const tokenTransferSlug = 'token_transfer';

interface Token {
  readonly network: Network;
  readonly contract: Contract;
  readonly fragment: AbiFragment;
  readonly decimals: number;
  /** In the smallest unit. */
  readonly minimum: bigint;
}

/** `token_transfer`: transfers of a token, by sender, receiver and amount. */
export function tokenTransfer(choices: ChainChoices): BuiltInTrigger {
  return {
    offer: {
      slug: tokenTransferSlug,
      title: 'Token transfer',
      description: 'Fires when a token changes hands.',
      fields,
      ingredients,
    },
    options: async (field) => (field === 'network' ? choices.networks() : choices.contracts(isToken)),
    validate: async (values) => (await resolve(choices, values)).faults,
    async sample() {
      const token = await choices.firstWith(isToken);
      return token && { network: token.network, token: token.name, from: '', to: '', minimum: '' };
    },
    invalidSample: { token: 'no such token', from: 'nobody', to: 'nobody', minimum: 'much' },
    async watch(context) {
      const { found, faults } = await resolve(choices, context.fields);
      if (!found) throw new PatchbayError('request.invalid', { detail: faultsOf(faults).join('; ') });
      const from = textOf(context.fields, 'from').toLowerCase();
      const to = textOf(context.fields, 'to').toLowerCase();
      const toItem = (event: ContractEvent): Record<string, string> | undefined => {
        const moved = movedIn(event, found);
        const isWanted =
          (from === '' || from === moved.from) && (to === '' || to === moved.to) && moved.amount >= found.minimum;
        return isWanted ? ingredientsOf(event, moved, found) : undefined;
      };
      await watchLogs(context, { ...found, toItem });
    },
  };
}

function isToken(abi: Abi): boolean {
  return transferOf(abi) !== undefined;
}

function transferOf(abi: Abi): AbiFragment | undefined {
  return eventsOf(abi).find((event) => signatureOf(event) === 'Transfer(address,address,uint256)');
}

async function resolve(
  choices: ChainChoices,
  values: FieldValues,
): Promise<{ found?: Token; faults: Readonly<Record<string, Validity>> }> {
  const at = await lookUp(choices, values, 'token');
  if ('faults' in at) return { faults: at.faults };
  const fragment = transferOf(at.contract.abi);
  if (!fragment) return { faults: { token: refused('is no token: it has no event Transfer') } };
  const { network, contract } = at;
  const known = isCounted(fragment) ? contract.decimals : 0;
  const decimals = known ?? (await readDecimals(network.rpc, contract.address));
  const { minimum, problem } = minimumOf(textOf(values, 'minimum'), decimals);
  const faults = {
    network: fine,
    token: fine,
    from: isAddressOrEmpty(textOf(values, 'from')),
    to: isAddressOrEmpty(textOf(values, 'to')),
    minimum: problem ?? fine,
  };
  return faultsOf(faults).length > 0 ? { faults } : { found: { ...at, fragment, decimals, minimum }, faults };
}

function minimumOf(text: string, decimals: number): { readonly minimum: bigint; readonly problem?: Validity } {
  if (text === '') return { minimum: 0n };
  try {
    const minimum = parseUnits(text, decimals);
    return minimum < 0n ? { minimum: 0n, problem: refused('must not be negative') } : { minimum };
  } catch (error) {
    return { minimum: 0n, problem: refusedBy(error) };
  }
}

/** Tokens that are counted have an amount; the others have an indexed id instead. */
function isCounted({ inputs = [] }: AbiFragment): boolean {
  return inputs[2]?.indexed !== true;
}

interface Moved {
  readonly from: string;
  readonly to: string;
  readonly amount: bigint;
}

function movedIn(event: ContractEvent, { fragment }: Token): Moved {
  const [from, to, amount] = argumentNames(fragment.inputs ?? []).map((name) => String(event.args[name] ?? ''));
  return { from: (from ?? '').toLowerCase(), to: (to ?? '').toLowerCase(), amount: BigInt(amount || '0') };
}

function ingredientsOf(event: ContractEvent, { from, to, amount }: Moved, { decimals }: Token): Record<string, string> {
  return {
    network: event.network,
    chain_id: String(event.chainId),
    token: event.contract.name ?? event.contract.address,
    token_address: event.contract.address,
    from,
    to,
    amount: formatUnits(amount, decimals),
    amount_raw: amount.toString(),
    transaction_hash: event.transaction.hash,
    block_number: String(event.block.number),
    occurred_at: event.block.timestamp,
  };
}

const optional = { type: 'text', isRequired: false, isDynamic: false, isValidated: true } as const;
const fields: readonly FieldOffer[] = [
  networkField,
  {
    slug: 'token',
    title: 'Token',
    description: 'A token that the hub knows by name',
    type: 'drop-down',
    isRequired: true,
    isDynamic: true,
    isValidated: true,
    example: 'usdc',
  },
  {
    ...optional,
    slug: 'from',
    title: 'From',
    description: 'Optional: address of the sender',
    example: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  },
  {
    ...optional,
    slug: 'to',
    title: 'To',
    description: 'Optional: address of the receiver',
    example: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
  },
  {
    ...optional,
    slug: 'minimum',
    title: 'At least',
    description: 'Optional: smallest amount, e.g. 10000',
    example: '10000',
  },
];

function ingredient(slug: string, title: string, example: string, type: IngredientOffer['type'] = 'String') {
  return { slug, title, type, example };
}

const ingredients: readonly IngredientOffer[] = [
  ingredient('network', 'Network', 'local'),
  ingredient('chain_id', 'Chain id', '31337'),
  ingredient('token', 'Token', 'usdc'),
  ingredient('token_address', 'Token address', '0x5fbdb2315678afecb367f032d93f642f64180aa3'),
  ingredient('from', 'From', '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'),
  ingredient('to', 'To', '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'),
  ingredient('amount', 'Amount', '25000'),
  ingredient('amount_raw', 'Amount in the smallest unit', '25000000000'),
  ingredient(
    'transaction_hash',
    'Transaction hash',
    '0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060',
  ),
  ingredient('block_number', 'Block number', '46147'),
  ingredient('occurred_at', 'Occurred at', '2026-01-31T12:00:00.000Z', 'Date with time'),
];
