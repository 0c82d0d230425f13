import { createHash, createHmac } from 'node:crypto';

export interface SignedExchange {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Buffer;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const shape =
  /^AWS4-HMAC-SHA256 Credential=(?<id>[^/]+)\/(?<scope>(?<day>\d{8})\/(?<region>[^/]+)\/(?<service>[^/]+)\/aws4_request), *SignedHeaders=(?<signed>[^,]+), *Signature=(?<signature>[0-9a-f]{64})$/;

/** Checks Signature Version 4 as AWS does. @returns the type of error it would answer with, or nothing when all is well */
export function signatureFault(exchange: SignedExchange, known: AwsCredentials): string | undefined {
  const parts = shape.exec(exchange.headers['authorization'] ?? '')?.groups;
  if (parts === undefined) return 'MissingAuthenticationTokenException';
  if (parts['id'] !== known.accessKeyId) return 'UnrecognizedClientException';
  const signedHeaders = (parts['signed'] ?? '').split(';');
  const date = exchange.headers['x-amz-date'] ?? '';
  if (!signedHeaders.includes('host') || !date.startsWith(parts['day'] ?? '?')) return 'IncompleteSignatureException';

  const text = ['AWS4-HMAC-SHA256', date, parts['scope'], sha256(canonicalRequest(exchange, signedHeaders))].join('\n');
  const key = [parts['day'], parts['region'], parts['service'], 'aws4_request'].reduce<string | Buffer>(
    (signing, part) =>
      createHmac('sha256', signing)
        .update(part ?? '')
        .digest(),
    `AWS4${known.secretAccessKey}`,
  );
  const expected = createHmac('sha256', key).update(text).digest('hex');
  return expected === parts['signature'] ? undefined : 'InvalidSignatureException';
}

function canonicalRequest(
  { method, path, query, headers, rawBody }: SignedExchange,
  signed: readonly string[],
): string {
  // Every service but S3 encodes the path once more.
  const canonicalPath = path.split('/').map(encoded).join('/');
  const canonicalQuery = Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
  const lines = signed.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
  return [method, canonicalPath, canonicalQuery, lines, signed.join(';'), sha256(rawBody)].join('\n');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
