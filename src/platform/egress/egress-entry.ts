import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

interface Ports {
  readonly firstPort: number;
  readonly lastPort: number;
}

export type EgressEntry =
  | (Ports & { readonly kind: 'name'; readonly name: string })
  | (Ports & { readonly kind: 'range'; readonly contains: (address: string) => boolean });

const shape =
  /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[a-z0-9._-]+))(?:\/(?<prefix>\d{1,3}))?(?::(?<first>\d{1,5})(?:-(?<last>\d{1,5}))?)?$/i;

/** One line of the operator's list, or nothing when it cannot be read. */
export function parseEgressEntry(text: string): EgressEntry | undefined {
  const parts = shape.exec(text.trim())?.groups;
  const ports = parts && parsePorts(parts['first'], parts['last']);
  if (!parts || !ports) return undefined;
  const host = (parts['v6'] ?? parts['host'] ?? '').toLowerCase();
  if (isIP(host) !== 0) return parseRange(host, parts['prefix'], ports);
  // What is all digits and dots is a mistyped address, not a name.
  if (parts['v6'] !== undefined || parts['prefix'] !== undefined || /^[\d.]*$/.test(host)) return undefined;
  return { kind: 'name', name: host.replace(/\.+$/, ''), ...ports };
}

function parsePorts(first: string | undefined, last: string | undefined): Ports | undefined {
  if (first === undefined) return { firstPort: 1, lastPort: 65_535 };
  const ports = { firstPort: Number(first), lastPort: Number(last ?? first) };
  return ports.firstPort >= 1 && ports.firstPort <= ports.lastPort && ports.lastPort <= 65_535 ? ports : undefined;
}

function parseRange(host: string, prefix: string | undefined, ports: Ports): EgressEntry | undefined {
  const network = ipaddr.parse(host);
  const widest = network.kind() === 'ipv4' ? 32 : 128;
  const bits = Number(prefix ?? widest);
  if (bits > widest) return undefined;
  const contains = (address: string): boolean => {
    const parsed = ipaddr.parse(address);
    return parsed.kind() === network.kind() && parsed.match(network, bits);
  };
  return { kind: 'range', contains, ...ports };
}
