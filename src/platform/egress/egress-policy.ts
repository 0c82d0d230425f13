import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

import { PatchbayError } from '#sdk';

import { isPrivateAddress, isPublicAddress } from './address-range.js';
import { parseEgressEntry, type EgressEntry } from './egress-entry.js';

/** Why a target was refused; a bounded set, so that refusals can be counted by it. */
export type RefusalReason = 'url' | 'scheme' | 'credentials' | 'port' | 'name' | 'address';

/** Resolves a name to all its addresses, as `dns.lookup` does with `all`. */
export type ResolveAll = (
  hostname: string,
  options: { readonly family: number },
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

export interface EgressOptions {
  readonly lookup?: ResolveAll;
  /** Called for every refusal; to count them. */
  readonly onRefused?: (reason: RefusalReason) => void;
}

/** What this hub may call: public hosts on the usual web ports, and what the operator lists. */
export interface EgressPolicy {
  /** What the operator wrote, for the log at start. */
  readonly allowed: readonly string[];
  /**
   * Checks everything that can be known without asking the name service; a literal address included, because sockets
   * never look those up.
   * @throws target.forbidden
   */
  checkUrl(url: URL): void;
  /** The same policy without the operator's list. */
  restricted(): EgressPolicy;
  /** The same for a host and port that a library connects to. */
  checkHost(hostname: string, port: number): void;
  /** For sockets: resolves, refuses unless every address is allowed, and hands over the checked addresses. */
  lookupFor(port: number): LookupFunction;
  /** Resolves to nothing when the target may be called. @throws target.forbidden, connection.refused */
  assertAllowed(url: string): Promise<void>;
}

const openPorts = new Set([80, 443, 8080, 8443]);
const mostCleared = 1000;
/** Names that only ever mean something inside a network. */
const innerSuffixes = ['internal', 'local', 'localhost', 'svc'];

/**
 * Reads the operator's list: `127.0.0.1:3100-3199`, `10.0.0.0/8:443`, `[fd00::]/8`, `localhost:8545`. Without ports, any port.
 * A listed name may resolve to private addresses, but not to link-local ones, where clouds answer with credentials.
 *
 * @throws config.invalid – with every fault at once
 */
export function parseEgress(list: readonly string[], options: EgressOptions = {}): EgressPolicy {
  const entries = parseEntries(list);
  const resolve = options.lookup ?? resolveBySystem;

  function refuse(reason: RefusalReason, what: string, fix: string): PatchbayError {
    options.onRefused?.(reason);
    return new PatchbayError('target.forbidden', { detail: what, fix });
  }

  /** Remembers verdicts on hosts, which depend on nothing but the list; the hot path calls a few hosts over and over. */
  const cleared = new Set<string>();

  function checkHost(hostname: string, port: number): void {
    const key = `${hostname}:${port}`;
    if (cleared.has(key)) return;
    judgeHost(normalised(hostname), port);
    if (cleared.size >= mostCleared) cleared.clear();
    cleared.add(key);
  }

  function judgeHost(name: string, port: number): void {
    const family = isIP(name);
    if (family !== 0) {
      if (!isAddressAllowed(name, port)) throw refuseAddress(name, name, port);
      if (!openPorts.has(port) && !isAddressListed(name, port)) throw refusePort(name, port);
      return;
    }
    if (isNameListed(name, port)) return;
    if (innerSuffixes.includes(name.slice(name.lastIndexOf('.') + 1))) {
      throw refuse('name', `${name} is a name of an inner network`, allowFix(`${name}:${port}`));
    }
    // Whether an address entry opens this port is known only once the name is resolved.
    if (!openPorts.has(port) && !entries.some((entry) => entry.kind === 'range' && isInPorts(entry, port))) {
      throw refusePort(name, port);
    }
  }

  function checkAddress(name: string, address: string, port: number): void {
    if (isNameListed(name, port) && (isPublicAddress(address) || isPrivateAddress(address))) return;
    if (!isAddressAllowed(address, port)) throw refuseAddress(name, address, port);
    if (!openPorts.has(port) && !isAddressListed(address, port)) throw refusePort(name, port);
  }

  function isNameListed(name: string, port: number): boolean {
    return entries.some((entry) => entry.kind === 'name' && entry.name === name && isInPorts(entry, port));
  }

  function isAddressListed(address: string, port: number): boolean {
    return entries.some((entry) => entry.kind === 'range' && isInPorts(entry, port) && entry.contains(address));
  }

  function isAddressAllowed(address: string, port: number): boolean {
    return isPublicAddress(address) || isAddressListed(address, port);
  }

  function refuseAddress(name: string, address: string, port: number): PatchbayError {
    const what = name === address ? address : `${name} lies at ${address}, which`;
    return refuse('address', `${what} is not a public address`, allowFix(`${bracketed(address)}:${port}`));
  }

  function refusePort(name: string, port: number): PatchbayError {
    return refuse('port', `Port ${port} of ${name} is not open for calls`, allowFix(`${bracketed(name)}:${port}`));
  }

  function checkUrl(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw refuse(
        'scheme',
        `${url.protocol}// is not a web address`,
        'Use an address that starts with https:// or http://.',
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw refuse(
        'credentials',
        `The address of ${url.host} carries a user name or password`,
        'Put credentials into a connection.',
      );
    }
    checkHost(url.hostname, portOf(url));
  }

  function resolveChecked(
    hostname: string,
    port: number,
    family: number,
    done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
  ): void {
    resolve(hostname, { family }, (error, addresses) => {
      if (error) return done(error, []);
      try {
        const name = normalised(hostname);
        for (const { address } of addresses) checkAddress(name, address, port);
      } catch (refusal) {
        return done(refusal as PatchbayError, []);
      }
      if (addresses.length === 0) return done(new Error(`${hostname} has no address`), []);
      done(null, addresses);
    });
  }

  return {
    allowed: [...list],
    restricted: () => parseEgress([], options),
    checkUrl,
    checkHost,
    lookupFor: (port) => (hostname, lookupOptions, callback) => {
      resolveChecked(hostname, port, familyNumber(lookupOptions.family), (error, addresses) => {
        const first = addresses[0];
        if (error || !first) return callback(error, '', 0);
        if (lookupOptions.all) return callback(null, [...addresses]);
        callback(null, first.address, first.family);
      });
    },
    async assertAllowed(text) {
      if (!URL.canParse(text))
        throw refuse('url', 'The target is not a web address', 'Use an address that starts with https:// or http://.');
      const url = new URL(text);
      checkUrl(url);
      if (isIP(normalised(url.hostname)) !== 0) return;
      await new Promise<void>((settle, fail) => {
        resolveChecked(url.hostname, portOf(url), 0, (error) => {
          if (!error) return settle();
          fail(error instanceof PatchbayError ? error : unresolved(url.hostname, error));
        });
      });
    },
  };
}

function parseEntries(list: readonly string[]): EgressEntry[] {
  const faults = list.flatMap((text, index) =>
    parseEgressEntry(text)
      ? []
      : [{ pointer: `#/${index}`, detail: `"${text}" is neither a name nor an address range with ports` }],
  );
  if (faults.length > 0) {
    throw new PatchbayError('config.invalid', {
      detail: faults.map((fault) => fault.detail).join('; '),
      fix: 'Write entries such as 127.0.0.1:3100-3199, 10.0.0.0/8:443 or localhost:8545.',
      faults,
    });
  }
  return list.map(parseEgressEntry).filter((entry) => entry !== undefined);
}

function isInPorts(entry: EgressEntry, port: number): boolean {
  return port >= entry.firstPort && port <= entry.lastPort;
}

/** Without brackets, trailing dots and capitals, so that one host has one spelling. */
function normalised(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '');
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function familyNumber(family: number | 'IPv4' | 'IPv6' | undefined): number {
  if (family === 'IPv4') return 4;
  return family === 'IPv6' ? 6 : (family ?? 0);
}

function allowFix(entry: string): string {
  return `If this hub is meant to call it, the operator adds ${entry} to PATCHBAY_EGRESS_ALLOW.`;
}

function unresolved(hostname: string, cause: Error): PatchbayError {
  return new PatchbayError('connection.refused', { detail: `The name ${hostname} cannot be resolved`, cause });
}

function resolveBySystem(...[hostname, { family }, done]: Parameters<ResolveAll>): void {
  systemLookup(hostname, { all: true, family }, (error, addresses) => done(error, addresses ?? []));
}
