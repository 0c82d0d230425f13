import type { FastifyRequest } from 'fastify';
import { PatchbayError, type Fault } from '#sdk';

/** How a call is made, as old clients say it. */
export interface FlyParameters {
  readonly from: string | undefined;
  readonly isSync: boolean;
  readonly isCall: boolean;
  /** Idempotency key. */
  readonly id: string | undefined;
  readonly register: string | undefined;
  readonly value: bigint | undefined;
  readonly gas: bigint | undefined;
  readonly gasPrice: bigint | undefined;
  /** Number or word. */
  readonly block: string | undefined;
  /** Whose inputs are to be read. */
  readonly transaction: string | undefined;
  /** Ours: old gateways had one network. */
  readonly network: string | undefined;
}

const inQuery = /^(?:fly|kld)-(.+)$/i;
const inHeaders = /^x-(?:firefly|kaleido)-(.+)$/i;
const known: ReadonlySet<string> = new Set([
  'from',
  'sync',
  'call',
  'id',
  'acktype',
  'noack',
  'register',
  'ethvalue',
  'gas',
  'gasprice',
  'blocknumber',
  'transaction',
  'network',
]);
export const privateNames = ['privatefrom', 'privatefor', 'privacygroupid'] as const;
const longestId = 200;

/**
 * The parameters of the query and of the headers in all four spellings; the query wins.
 *
 * @throws request.invalid naming each that cannot be read or is not offered
 */
export function flyParameters({ query, headers }: Pick<FastifyRequest, 'query' | 'headers'>): FlyParameters {
  const faults: Fault[] = [];
  const given = new Map<string, string>();
  const take = (name: string, value: unknown, pointer: string): void => {
    if (isPrivate(name)) faults.push({ pointer, detail: 'Private transactions are not offered' });
    else if (Array.isArray(value)) faults.push({ pointer, detail: 'Given more than once' });
    else given.set(name, String(value ?? '').trim());
  };
  for (const [key, value] of Object.entries(headers)) {
    const name = inHeaders.exec(key)?.[1]?.toLowerCase();
    // Others may have headers of this kind for purposes of their own.
    if (name !== undefined && (known.has(name) || isPrivate(name))) take(name, value, `#/headers/${key}`);
  }
  for (const [key, value] of Object.entries(query as Readonly<Record<string, unknown>>)) {
    const name = inQuery.exec(key)?.[1]?.toLowerCase();
    if (name === undefined) continue;
    if (known.has(name) || isPrivate(name)) take(name, value, `#/${key}`);
    else faults.push({ pointer: `#/${key}`, detail: 'There is no such parameter' });
  }
  const text = (name: string): string | undefined => (given.get(name) === '' ? undefined : given.get(name));
  const number = (name: string): bigint | undefined => {
    const written = text(name);
    const value = written === undefined ? undefined : wholeNumber(written);
    if (value === null)
      faults.push({ pointer: `#/fly-${name}`, detail: 'Must be a whole number that is not negative' });
    return value ?? undefined;
  };
  const id = text('id');
  if (id !== undefined && id.length > longestId) {
    faults.push({ pointer: '#/fly-id', detail: `Must have ${longestId} characters at most` });
  }
  const parameters: FlyParameters = {
    from: addressLike(text('from')),
    isSync: flag(given.get('sync')),
    isCall: flag(given.get('call')),
    id,
    register: text('register'),
    value: number('ethvalue'),
    gas: number('gas'),
    gasPrice: number('gasprice'),
    block: text('blocknumber'),
    transaction: text('transaction'),
    network: text('network'),
  };
  if (faults.length === 0) return parameters;
  throw new PatchbayError('request.invalid', {
    detail: faults.map((fault) => `${fault.pointer?.slice(2) ?? ''}: ${fault.detail}`).join('; '),
    fix: `There are: ${[...known].map((name) => `fly-${name}`).join(', ')}`,
    faults,
  });
}

/** Decimal or hexadecimal; null when it is neither. */
export function wholeNumber(written: string): bigint | null {
  return /^(\d{1,78}|0x[0-9a-f]{1,64})$/i.test(written) ? BigInt(written) : null;
}

/** Addresses came without 0x, too. */
export function addressLike<Text extends string | undefined>(text: Text): Text {
  return (text !== undefined && /^[0-9a-f]{40}$/i.test(text) ? `0x${text}` : text) as Text;
}

/** By its mere presence, or by its value. */
export function flag(value: unknown): boolean {
  return value === '' || value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}

function isPrivate(name: string): boolean {
  return (privateNames as readonly string[]).includes(name);
}
