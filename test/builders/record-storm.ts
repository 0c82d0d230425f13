import { randomInt } from 'node:crypto';
import type { Fault, SalesforceStandIn } from '../../sandbox/salesforce/index.js';

const streamFaults: readonly Fault[] = [
  { kind: 'dropStreams', advice: 'none' },
  { kind: 'dropStreams', advice: 'handshake' },
  { kind: 'dropStreams', advice: 'disconnect' },
  { kind: 'loseAnswer', on: 'cometd' },
  { kind: 'silentStream' },
  { kind: 'status', on: 'cometd', status: 503, html: '<h1>Down for maintenance</h1>' },
  { kind: 'refuseStream', meta: 'connect', error: '403::Unknown client', advice: 'none' },
];
const tokenFaults: readonly Fault[] = [{ kind: 'expireSessions' }, { kind: 'status', on: 'cometd', status: 401 }];

/**
 * Sessions, sockets, tokens and answers: breaks one of them each time it is called. Tokens no more often than a
 * connection may log in again, which is three times a minute with the login it began with.
 */
export function randomBreaker(org: SalesforceStandIn): () => void {
  let tokensBrokenAt: number[] = [];
  return () => {
    tokensBrokenAt = tokensBrokenAt.filter((at) => performance.now() - at < 65_000);
    const faults = tokensBrokenAt.length < 2 ? [...streamFaults, ...tokenFaults] : streamFaults;
    const fault = faults[randomInt(faults.length)];
    if (fault === undefined) return;
    if (tokenFaults.includes(fault)) tokensBrokenAt.push(performance.now());
    org.addFault(fault);
  };
}

export interface RecordStorm {
  /** To be made one after the other. */
  readonly changes: readonly (() => void)[];
  /** Changes that are missing, doubled or out of order, in words; empty when all is well. */
  faultsOf(heard: readonly { readonly event: { readonly recordId: string; readonly fields: object } }[]): string[];
}

/** Changes of some accounts, numbered for each record. */
export function changesInOrder(
  org: SalesforceStandIn,
  wanted: { readonly records: number; readonly changes: number },
): RecordStorm {
  const numbers = new Map<string, number>();
  const change = (index: number) => () => {
    const existing = [...numbers.keys()][index % wanted.records];
    if (existing === undefined || numbers.size < wanted.records) {
      numbers.set(org.create('Account', { Name: `Account ${index}`, NumberOfEmployees: 1 }), 1);
      return;
    }
    const next = (numbers.get(existing) ?? 0) + 1;
    numbers.set(existing, next);
    org.update('Account', existing, { NumberOfEmployees: next });
  };
  return {
    changes: Array.from({ length: wanted.changes }, (_, index) => change(index)),
    faultsOf(heard) {
      const seen = new Map<string, number[]>();
      for (const { event } of heard) {
        const { NumberOfEmployees: number } = event.fields as { NumberOfEmployees?: number };
        seen.set(event.recordId, [...(seen.get(event.recordId) ?? []), Number(number)]);
      }
      return [...numbers].flatMap(([id, last]) => {
        const expected = Array.from({ length: last }, (_, index) => index + 1).join();
        const actual = (seen.get(id) ?? []).join();
        return actual === expected ? [] : [`${id}: heard ${actual}, changed ${expected}`];
      });
    },
  };
}
