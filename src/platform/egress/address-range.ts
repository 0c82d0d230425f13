import ipaddr from 'ipaddr.js';

/**
 * Ranges that look public to the library, but lead inwards or nowhere: Azure's platform address, benchmarking, the 6to4
 * relay; and IPv6 that embeds IPv4 for translation.
 */
const alsoRefused = ['168.63.129.16/32', '198.18.0.0/15', '192.88.99.0/24', '64:ff9b::/96', '64:ff9b:1::/48'].map(
  (range) => ipaddr.parseCIDR(range),
);
const globalUnicastV6 = ipaddr.parseCIDR('2000::/3');

const privateRanges = new Set<string>(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/** Whether an address is reachable by anybody; whatever is not plainly that is not. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  if (alsoRefused.some((range) => isWithin(address, range))) return false;
  return address.kind() === 'ipv4' || isWithin(address, globalUnicastV6);
}

/** Whether an address belongs to this machine or its network; link-local addresses are neither private nor public. */
export function isPrivateAddress(text: string): boolean {
  return ipaddr.isValid(text) && privateRanges.has(ipaddr.parse(text).range());
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: [ipaddr.IPv4 | ipaddr.IPv6, number]): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
