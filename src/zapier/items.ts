import {
  argumentNames,
  formatUnits,
  type AbiFragment,
  type AbiParameter,
  type ContractEvent,
  type TransactionChange,
} from '#evm';
import type { EndedRun } from '#runs';
import { PatchbayError } from '#sdk';

/**
 * What a Zap sees of one thing that happened: flat, big numbers as text, times as RFC 3339, and always the same keys, because
 * people map them before the first one arrives. What is delivered, what the editor lists and what it shows as an example is
 * made by the same function.
 */
export interface Item {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** Integers of more bits do not fit the numbers of others. */
const safeBits = 48;
const most = { keys: 200, depth: 5 };

/** The id names the log where it was first seen; mined again elsewhere it keeps the id that was given. */
export function contractEventItem(event: ContractEvent, fragment: AbiFragment, decimals: number): Item {
  return {
    ...placeOf(event),
    event: event.name,
    ...argumentsOf(event, fragment, decimals),
  };
}

export function transferItem(event: ContractEvent, decimals: number): Item {
  const { from, to, value } = event.args;
  return {
    ...placeOf(event),
    from: textOf(from),
    to: textOf(to),
    amount: textOf(value),
    amount_formatted: scaled(value, decimals),
    decimals,
  };
}

export function transactionItem(change: TransactionChange, network: string): Item {
  const { transaction, status, hash, place, failure, reason, time } = change;
  const { about } = transaction;
  return {
    id: change.id,
    transaction_id: transaction.id,
    status,
    network,
    chain_id: transaction.chainId,
    transaction_hash: hash ?? '',
    signer: transaction.signer,
    from: transaction.from,
    to: transaction.to ?? '',
    contract: about?.contract ?? '',
    function: about?.function ?? '',
    contract_address: transaction.contractAddress ?? '',
    nonce: transaction.nonce,
    value: transaction.value,
    value_formatted: scaled(transaction.value, 18),
    block_number: place?.blockNumber ?? null,
    gas_used: place?.gasUsed ?? '',
    error_code: failure?.code ?? '',
    error_message: failure?.detail ?? '',
    reason: reason ?? '',
    origin: transaction.origin ?? '',
    time,
  };
}

/** A run that is taken up again and ends otherwise is another event. */
export function runItem(run: EndedRun): Item {
  return {
    id: `${run.id}:${run.state}`,
    run_id: run.id,
    flow: run.flow,
    state: run.state,
    error_code: run.error?.code ?? '',
    error_message: run.error?.message ?? '',
    started_at: run.startedAt?.toISOString() ?? null,
    finished_at: run.finishedAt?.toISOString() ?? null,
    ...flattened(run.outputs, 'output'),
  };
}

/** What a step of a Zap gets that waits for its run. */
export function runResult(run: EndedRun): Item {
  const { code = '', message = '' } = run.error ?? {};
  return {
    id: run.id,
    run_id: run.id,
    flow: run.flow,
    state: run.state,
    error: run.error === null ? null : { code, message },
    outputs: flattened(run.outputs, ''),
    finished_at: run.finishedAt?.toISOString() ?? null,
  };
}

export function publishedItem(item: {
  readonly slug: string;
  readonly id: string;
  readonly time: string;
  readonly ingredients: Readonly<Record<string, string>>;
}): Item {
  return { ...item.ingredients, id: item.id, event: item.slug, time: new Date(item.time).toISOString() };
}

/** Objects become keys with `_` between, lists become JSON. */
export function flattened(value: Readonly<Record<string, unknown>>, prefix: string): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  add(flat, prefix, value, 0);
  return flat;
}

function add(flat: Record<string, unknown>, key: string, value: unknown, depth: number): void {
  if (Object.keys(flat).length >= most.keys) return;
  if (typeof value !== 'object' || value === null) {
    flat[key] = typeof value === 'bigint' ? value.toString() : value;
    return;
  }
  if (Array.isArray(value) || depth >= most.depth) {
    flat[key] = JSON.stringify(value);
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    add(flat, key === '' ? keyOf(name) : `${key}_${keyOf(name)}`, inner, depth + 1);
  }
}

function keyOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]+/g, '_');
}

function placeOf({ contract, transaction, block, log, network, chainId }: ContractEvent): Item {
  return {
    id: `${chainId}:${transaction.hash}:${log.index}`,
    network,
    chain_id: chainId,
    contract_name: contract.name ?? '',
    contract_address: contract.address,
    transaction_hash: transaction.hash,
    block_number: block.number,
    block_hash: block.hash,
    log_index: log.index,
    time: block.timestamp,
  };
}

function argumentsOf(event: ContractEvent, fragment: AbiFragment, decimals: number): Record<string, unknown> {
  const inputs = fragment.inputs ?? [];
  const flat: Record<string, unknown> = {};
  for (const [index, name] of argumentNames(inputs).entries()) {
    const value = event.args[name];
    flat[`arg_${keyOf(name)}`] = typeof value === 'boolean' ? value : textOf(value);
    if (isBig(inputs[index]!)) flat[`arg_${keyOf(name)}_formatted`] = scaled(value, decimals);
  }
  return flat;
}

/** Whether a number of this type is shown scaled too. */
export function isBig({ type }: AbiParameter): boolean {
  const [, bits = '256'] = /^u?int(\d*)$/.exec(type) ?? [undefined, '0'];
  return Number(bits === '' ? '256' : bits) > safeBits;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  return 'hash' in value && typeof value.hash === 'string' ? value.hash : JSON.stringify(value);
}

function scaled(value: unknown, decimals: number): string {
  const text = textOf(value);
  try {
    return text === '' ? '' : formatUnits(text, decimals);
  } catch (error) {
    if (error instanceof PatchbayError || error instanceof SyntaxError) return '';
    throw error;
  }
}
