import type { TransactionChange } from '#evm';
import type { TransactionView } from '#transactions';
import { triggerInputs } from './zapier.schema.js';

/** What people wait for, unless they choose. */
const usualStatuses = ['confirmed', 'failed'];

export function wantsChange(input: unknown, change: TransactionChange, network: string): boolean {
  const wanted = triggerInputs.transaction_status.parse(input);
  const { signer, from, to, contractAddress, about } = change.transaction;
  return (
    (wanted.network === undefined || wanted.network === network) &&
    (wanted.statuses ?? usualStatuses).includes(change.status) &&
    isOneOf(wanted.signer, [signer, from]) &&
    isOneOf(wanted.contract, [about?.contract, to, contractAddress])
  );
}

/** How a transaction stands, told like its last change. */
export function changeOf(view: TransactionView): TransactionChange & { readonly network: string } {
  const { id, network, hash, receipt, contractAddress, failure } = view;
  return {
    id: `${id}:latest`,
    transaction: {
      id,
      idempotencyKey: view.idempotencyKey,
      chainId: view.chainId,
      signer: view.signer,
      from: view.from,
      to: view.to,
      nonce: view.nonce,
      value: view.value,
      contractAddress,
      about: view.about,
      origin: view.origin,
    },
    status: view.status,
    hash,
    place: receipt && { hash: hash ?? '', ...receipt },
    failure,
    reason: null,
    time: view.updatedAt.toISOString(),
    network: network ?? '',
  };
}

/** Addresses are given in any case and kept in lower case. */
function isOneOf(wanted: string | undefined, names: readonly (string | null | undefined)[]): boolean {
  return wanted === undefined || names.includes(wanted.startsWith('0x') ? wanted.toLowerCase() : wanted);
}
