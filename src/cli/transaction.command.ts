import { UsageError } from './failure.js';
import type { PageAnswer, SuspensionsAnswer, TransactionAnswer, TransactionDetailAnswer } from './hub-answers.js';
import type { Paint } from './paint.js';
import { counted } from './replay-text.js';
import { queryOf } from './runs.command.js';
import type { Session } from './session.js';
import { sinceText } from './time-text.js';

export interface TransactionsFilter {
  readonly status?: string;
  readonly pending?: boolean;
  readonly signer?: string;
  readonly network?: string;
  readonly contract?: string;
  readonly function?: string;
  readonly origin?: string;
  readonly createdAfter?: string;
  readonly createdBefore?: string;
  readonly limit?: string;
  readonly before?: string;
}

export interface FeeOptions {
  readonly max?: string;
  readonly tip?: string;
  readonly cap?: string;
}

export async function listTransactions(filter: TransactionsFilter, session: Session): Promise<void> {
  const { paint } = session;
  const hub = await session.hub();
  const query = queryOf({ ...filter, ...(filter.pending === true && { pending: 'true' }) });
  const page = await hub.get<PageAnswer<TransactionAnswer>>(`/api/transactions?${query}`);
  const now = Date.now();
  session.show(page, () => {
    if (page.items.length === 0) return 'No transactions.';
    return session.table(
      [
        { title: 'transaction', text: (one: TransactionAnswer) => one.id },
        { title: 'status', text: (one) => statusText(one.status, paint) },
        { title: 'network', text: (one) => one.network ?? String(one.chainId), drop: 3 },
        { title: 'signer', text: (one) => one.signer, drop: 2 },
        { title: 'nonce', text: (one) => String(one.nonce), isNumber: true, drop: 4 },
        { title: 'what', text: whatText, canShrink: true },
        { title: 'began', text: (one) => sinceText(one.createdAt, now), drop: 1 },
      ],
      page.items,
    );
  });
  if (page.next !== undefined) session.note(`There are more: --before ${page.next}`);
}

export async function showTransaction(id: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const transaction = await hub.get<TransactionDetailAnswer>(pathOf(id));
  session.show(transaction, () => transactionText(transaction, session));
}

export async function cancelTransaction(id: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const transaction = await hub.post<TransactionDetailAnswer>(`${pathOf(id)}/cancel`);
  session.show(
    transaction,
    () =>
      `Nothing is being put in the place of ${transaction.id}; until that is mined it may still win. Follow it: npx patchbay transaction show ${transaction.id}`,
  );
}

export async function replaceTransaction(id: string, { max, tip, cap }: FeeOptions, session: Session): Promise<void> {
  if (max === undefined && tip === undefined && cap === undefined) {
    throw new UsageError('No fee was given.', 'Add --max, --tip or --cap, in wei.');
  }
  const hub = await session.hub();
  const transaction = await hub.post<TransactionDetailAnswer>(`${pathOf(id)}/replace`, {
    fee: { ...(max !== undefined && { max }), ...(tip !== undefined && { tip }), ...(cap !== undefined && { cap }) },
  });
  session.show(transaction, () => `${transaction.id} is sent again at the new fee.`);
}

/** With a reason it is suspended, without one it goes on. */
export async function switchSigner(
  name: string,
  { reason, network }: { readonly reason?: string; readonly network?: string },
  session: Session,
): Promise<void> {
  const hub = await session.hub();
  const verb = reason === undefined ? 'resume' : 'suspend';
  const answer = await hub.post<SuspensionsAnswer>(`/api/signers/${encodeURIComponent(name)}/${verb}`, {
    ...(reason !== undefined && { reason }),
    ...(network !== undefined && { network }),
  });
  session.show(answer, () => {
    const where = answer.suspensions.map((one) => one.network ?? String(one.chainId)).join(', ');
    return where === '' ? `${name} accepts transactions.` : `${name} is suspended on ${where}.`;
  });
}

function pathOf(id: string): string {
  return `/api/transactions/${encodeURIComponent(id)}`;
}

function transactionText(transaction: TransactionDetailAnswer, session: Session): string {
  const { paint } = session;
  const { failure, receipt, contractAddress, attempts, history } = transaction;
  const now = Date.now();
  return [
    `${paint('bold', whatText(transaction))}  ${statusText(transaction.status, paint)}`,
    `Transaction  ${transaction.id}`,
    `From         ${transaction.signer} (${transaction.from}), nonce ${transaction.nonce}`,
    ...(transaction.to === null ? [] : [`To           ${transaction.to}`]),
    `Network      ${transaction.network ?? transaction.chainId}`,
    ...(transaction.value === '0' ? [] : [`Value        ${transaction.value} wei`]),
    ...(transaction.origin === null ? [] : [`Origin       ${transaction.origin}`]),
    ...(receipt === null ? [] : [`Block        ${receipt.blockNumber}, ${receipt.gasUsed} gas`]),
    ...(contractAddress === null ? [] : [`Contract     ${contractAddress}`]),
    ...(failure === null ? [] : ['', `${paint('red', '✗')} ${paint('bold', failure.code)}  ${failure.detail}`]),
    '',
    counted(attempts.length, 'attempt'),
    ...attempts.map(
      (one) =>
        `  ${one.number}  ${one.hash}  ${one.maxFee} wei per gas  ${one.sentAt === null ? 'not sent' : sinceText(one.sentAt, now)}${one.kind === 'filler' ? '  filler' : ''}`,
    ),
    '',
    ...history.map(
      (one) =>
        `  ${one.at}  ${statusText(one.status, paint)}${one.reason === null ? '' : `  ${one.reason}`}${one.failure === null ? '' : `  ${one.failure.detail}`}`,
    ),
  ].join('\n');
}

function whatText({ about, to, value }: TransactionAnswer): string {
  const name = about?.function?.split('(')[0];
  if (to === null) return `deploy ${about?.contract ?? ''}`.trimEnd();
  if (name !== undefined) return `${about?.contract ?? to} ${name}`;
  return value === '0' ? `call ${to}` : `${value} wei to ${to}`;
}

function statusText(status: string, paint: Paint): string {
  if (status === 'confirmed') return `${paint('green', '✓')} confirmed`;
  if (status === 'failed') return `${paint('red', '✗')} failed`;
  if (status === 'cancelled') return paint('dim', '- cancelled');
  return `… ${status}`;
}
