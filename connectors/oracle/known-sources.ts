import { PatchbayError } from '#sdk';
import type { OracleClient } from './oracle.client.js';

export interface SourceAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What must not appear in an error. */
  readonly redact: readonly string[];
}

interface Asked {
  readonly name: string;
  /** Of its own, or below the address of the source that the connection knows by the same name. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Strangers choose `url`. */
  readonly onlyPublic: boolean;
}

/**
 * Where a source is asked. Secrets of a known source go to its own host and path only, whatever a template makes of `url`.
 *
 * @throws connection.invalid, flow.input
 */
export function sourceAddress(
  { name, url, headers, onlyPublic }: Asked,
  client: OracleClient | undefined,
): SourceAddress {
  if (!url.startsWith('/')) return { url, headers, redact: [] };
  if (onlyPublic) {
    // Whoever chose it would be let in by the headers of the source.
    throw new PatchbayError('flow.input', {
      detail: `The source ${name} is onlyPublic, and ${url} is no whole address.`,
      fix: 'Give the whole address, or take onlyPublic away where the flow itself says what is asked.',
    });
  }
  const known = client?.settings.sources[name];
  if (client === undefined || known === undefined) {
    throw new PatchbayError('connection.invalid', {
      detail: `The source ${name} has no host, and ${client ? `the connection ${client.name} has no source of this name` : 'the step has no connection'}.`,
      fix: `Give the whole address, or name a connection: that has sources: { ${name}: { url: … } }.`,
    });
  }
  const base = known.url.replace(/\/+$/, '');
  const { origin, pathname } = new URL(base);
  const full = new URL(`${base}${url}`);
  // Only the parser knows every spelling of "one level up".
  if (full.origin !== origin || !`${full.pathname}/`.startsWith(`${pathname.replace(/\/$/, '')}/`)) {
    throw new PatchbayError('flow.input', {
      detail: `The address ${url} leads out of the source ${name}.`,
      fix: 'Give a path below its address.',
    });
  }
  const secrets = Object.entries(known.headers).map(
    ([header, value]) => [header.toLowerCase(), value.reveal()] as const,
  );
  return {
    url: full.href,
    // They come last: a flow cannot replace them.
    headers: { ...headers, ...Object.fromEntries(secrets) },
    redact: secrets.map(([, value]) => value).filter((value) => value !== ''),
  };
}
