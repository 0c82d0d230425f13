import { createHash } from 'node:crypto';
import { signPersonally } from '#evm';
import type { Secret } from '#sdk';

/** JSON whose keys are sorted at every level: what is signed and what is sent are the same bytes. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

export interface TokenOptions {
  readonly body: string;
  readonly key: Secret;
  readonly nowSeconds: number;
  /** Of the token. */
  readonly id: string;
}

const livesSeconds = 300;

/** The token that a gateway of workflows takes: about one body, signed by an account of Ethereum. */
export async function workflowToken({ body, key, nowSeconds, id }: TokenOptions): Promise<string> {
  const head = encoded(JSON.stringify({ alg: 'ETH', typ: 'JWT' }));
  let signed = '';
  const signature = await signPersonally(key, (address) => {
    const payload = {
      digest: `0x${createHash('sha256').update(body).digest('hex')}`,
      iss: address,
      iat: nowSeconds,
      exp: nowSeconds + livesSeconds,
      jti: id,
    };
    signed = `${head}.${encoded(JSON.stringify(payload))}`;
    return signed;
  });
  return `${signed}.${signature.toString('base64url')}`;
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
