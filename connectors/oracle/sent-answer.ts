import type { TransactionRecord, TransactionStore } from '#evm';
import type { AnswerableRequest } from './fulfilment.js';

/** What makes a request another one than all others: after a reorganisation the same id may come with another expiration. */
export type AnsweredRequest = Pick<AnswerableRequest, 'chainId' | 'oracle' | 'id' | 'expiration'>;

/**
 * What was sent for the request, by whichever run; else the key under which it is sent. What has failed for good, because
 * its gas did not suffice or somebody cancelled it, does not stand in the way of another try.
 */
export async function findSent(
  store: Pick<TransactionStore, 'findByKey'>,
  { chainId, oracle, id, expiration }: AnsweredRequest,
): Promise<{ readonly key: string; readonly sent: TransactionRecord | undefined }> {
  const first = `oracle:${String(chainId)}:${oracle}:${id.toLowerCase()}:${expiration}`;
  for (let number = 1; ; number += 1) {
    const key = number === 1 ? first : `${first}:${String(number)}`;
    const sent = await store.findByKey(key);
    if (sent?.status !== 'failed' && sent?.status !== 'cancelled') return { key, sent };
  }
}
