import { compileWhere } from '#engine';
import {
  argumentNames,
  compileLogDecoder,
  EventReader,
  getFragment,
  signatureOf,
  type AbiFragment,
  type Contract,
  type ContractEvent,
  type Network,
  type ReadEvent,
} from '#evm';
import { PatchbayError } from '#sdk';
import type { NewItem } from '../items.store.js';
import { textOf, type FieldOffer, type FieldValues, type IngredientOffer, type Validity } from '../offer.js';
import { fine, refused, type BuiltInTrigger, type WatchContext } from './built-in-trigger.js';
import { eventsOf, faultsOf, lookUp, networkField, refusedBy, type ChainChoices } from './chain-choices.js';

const shownArguments = 6;
const operators: Readonly<Record<string, string>> = {
  is: 'is',
  not: 'is not',
  gt: 'is more than',
  gte: 'is at least',
  lt: 'is less than',
  lte: 'is at most',
};

export const contractEventSlug = 'contract_event';

/** `contract_event`: any event of any contract that the hub knows, with one condition. */
export function contractEvent(choices: ChainChoices): BuiltInTrigger {
  return {
    offer: {
      slug: contractEventSlug,
      title: 'Contract event',
      description: 'Fires when a smart contract emits an event.',
      fields,
      ingredients,
    },
    async options(field) {
      if (field === 'network') return choices.networks();
      if (field === 'contract') return choices.contracts();
      if (field === 'event') return choices.events();
      return Object.entries(operators).map(([value, label]) => ({ label, value }));
    },
    validate: async (values) => (await resolve(choices, values)).faults,
    async sample() {
      const contract = await choices.firstWith((abi) => eventsOf(abi).length > 0);
      const [event] = eventsOf(contract?.abi ?? []);
      if (!contract || !event) return undefined;
      return { network: contract.network, contract: contract.name, event: signatureOf(event), ...noFilter };
    },
    invalidSample: { contract: 'no such contract', event: 'NoSuchEvent', filter_argument: 'noSuchArgument' },
    async watch(context) {
      const { found, faults } = await resolve(choices, context.fields);
      if (!found) throw new PatchbayError('request.invalid', { detail: faultsOf(faults).join('; ') });
      const holds = conditionOf(context.fields);
      await watchLogs(context, {
        ...found,
        toItem: (event) => (holds(event) ? ingredientsOf(event, found) : undefined),
      });
    },
  };
}

const noFilter = { filter_argument: '', filter_operator: '', filter_value: '' };

export interface Found {
  readonly network: Network;
  readonly contract: Contract;
  readonly fragment: AbiFragment;
}

interface Watched extends Found {
  /** Undefined: it is not wanted. */
  readonly toItem: (event: ContractEvent) => Readonly<Record<string, string>> | undefined;
}

/** Items for the events of one contract, from now on or from where it left off. */
export async function watchLogs(context: WatchContext, watched: Watched): Promise<void> {
  const { network, contract, fragment, toItem } = watched;
  const decoder = compileLogDecoder(fragment);
  const reader = new EventReader({ network, decoder, contractName: contract.name });
  const itemOf = ({ id, position, event }: ReadEvent): readonly NewItem[] => {
    const ingredients = toItem(event);
    return ingredients ? [{ id, time: event.block.timestamp, position, ingredients }] : [];
  };
  await network.watcher.watch({
    filter: { addresses: [contract.address], topics: [[decoder.topic]] },
    finality: network.finalityOf(undefined),
    cursor: context.cursor,
    signal: context.signal,
    deliver: ({ logs, cursor }) => context.deliver(reader.read(logs).flatMap(itemOf), cursor),
    retract: async ({ from, cursor }) => {
      reader.restart();
      await context.retract(from, cursor);
    },
  });
}

async function resolve(
  choices: ChainChoices,
  values: FieldValues,
): Promise<{ found?: Found; faults: Readonly<Record<string, Validity>> }> {
  const at = await lookUp(choices, values, 'contract');
  if ('faults' in at) return { faults: at.faults };
  try {
    const fragment = getFragment(at.contract.abi, 'event', textOf(values, 'event'));
    if (fragment.anonymous) return { faults: { event: refused('is anonymous: it cannot be told from others') } };
    const filter = checkFilter(fragment, values);
    const faults = { network: fine, contract: fine, event: fine, ...filter };
    return faultsOf(faults).length > 0 ? { faults } : { found: { ...at, fragment }, faults };
  } catch (error) {
    return { faults: { event: refusedBy(error) } };
  }
}

function checkFilter(fragment: AbiFragment, values: FieldValues): Record<string, Validity> {
  const argument = textOf(values, 'filter_argument');
  const operator = textOf(values, 'filter_operator');
  const value = textOf(values, 'filter_value');
  if (argument === '') {
    return operator === '' && value === ''
      ? {}
      : { filter_argument: refused('must be filled in, or the others left empty') };
  }
  const names = argumentNames(fragment.inputs ?? []);
  return {
    filter_argument: names.includes(argument) ? fine : refused(`must be one of ${names.join(', ')}`),
    filter_operator: operator === '' || operator in operators ? fine : refused('is not one of the choices'),
    filter_value: value === '' ? refused('must be filled in') : fine,
  };
}

function conditionOf(values: FieldValues): (event: ContractEvent) => boolean {
  const argument = textOf(values, 'filter_argument');
  if (argument === '') return () => true;
  const operator = textOf(values, 'filter_operator') || 'is';
  const given = textOf(values, 'filter_value');
  const value = /^0x[0-9a-fA-F]{40}$/.test(given) ? given.toLowerCase() : given;
  const holds = compileWhere({ [`event.args.${argument}`]: { [operator]: value } }, contractEventSlug);
  return (event) => holds({ event });
}

function ingredientsOf(event: ContractEvent, { fragment }: Found): Record<string, string> {
  const values = argumentNames(fragment.inputs ?? []).map((name) => [name, shown(event.args[name])] as const);
  const numbered = Array.from({ length: shownArguments }, (_, index): [string, string] => [
    `argument_${index + 1}`,
    values[index]?.[1] ?? '',
  ]);
  return {
    network: event.network,
    chain_id: String(event.chainId),
    contract: event.contract.name ?? event.contract.address,
    contract_address: event.contract.address,
    event: event.name,
    arguments: values.map(([name, value]) => `${name}: ${value}`).join(', '),
    ...Object.fromEntries(numbered),
    transaction_hash: event.transaction.hash,
    block_number: String(event.block.number),
    occurred_at: event.block.timestamp,
  };
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const text = { type: 'text', isRequired: false, isDynamic: false, isValidated: true } as const;
const fields: readonly FieldOffer[] = [
  networkField,
  {
    slug: 'contract',
    title: 'Contract',
    description: 'A contract that the hub knows by name',
    type: 'drop-down',
    isRequired: true,
    isDynamic: true,
    isValidated: true,
    example: 'usdc',
  },
  {
    slug: 'event',
    title: 'Event',
    description: 'One that the contract emits',
    type: 'drop-down',
    isRequired: true,
    isDynamic: true,
    isValidated: true,
    example: 'Transfer(address,address,uint256)',
  },
  {
    ...text,
    slug: 'filter_argument',
    title: 'Only if',
    description: 'Optional: an argument of the event',
    example: 'value',
  },
  {
    slug: 'filter_operator',
    title: 'Comparison',
    description: 'Optional: how to compare',
    type: 'drop-down',
    isRequired: false,
    isDynamic: true,
    isValidated: false,
    example: 'gte',
  },
  {
    ...text,
    slug: 'filter_value',
    title: 'Value',
    description: 'Optional: what to compare with',
    example: '25000000000',
  },
];

function ingredient(slug: string, title: string, example: string, type: IngredientOffer['type'] = 'String') {
  return { slug, title, type, example };
}

const ingredients: readonly IngredientOffer[] = [
  ingredient('network', 'Network', 'local'),
  ingredient('chain_id', 'Chain id', '31337'),
  ingredient('contract', 'Contract', 'usdc'),
  ingredient('contract_address', 'Contract address', '0x5fbdb2315678afecb367f032d93f642f64180aa3'),
  ingredient('event', 'Event', 'Transfer'),
  ingredient('arguments', 'Arguments', 'from: 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266, value: 25000000000'),
  ...Array.from({ length: shownArguments }, (_, index) =>
    ingredient(
      `argument_${index + 1}`,
      `Argument ${index + 1}`,
      index === 2 ? '25000000000' : '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    ),
  ),
  ingredient(
    'transaction_hash',
    'Transaction hash',
    '0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060',
  ),
  ingredient('block_number', 'Block number', '46147'),
  ingredient('occurred_at', 'Occurred at', '2026-01-31T12:00:00.000Z', 'Date with time'),
];
