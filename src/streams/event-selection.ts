import {
  compileLogDecoder,
  filterTopics,
  getFragment,
  isEventDeclaration,
  parseEventDeclaration,
  topicOf,
  type AbiFragment,
  type ChainLog,
  type LogDecoder,
  type LogFilter,
  type Network,
} from '#evm';
import { PatchbayError } from '#sdk';
import type { EventWish, StreamDefinition } from './stream.schema.js';

/** Which logs a stream wants, and how each is read. */
export interface EventSelection {
  readonly events: readonly AbiFragment[];
  readonly filters: readonly LogFilter[];
  find(log: ChainLog): SelectedEvent | undefined;
}

export interface SelectedEvent {
  readonly decoder: LogDecoder;
  readonly contractName: string | undefined;
}

/** One event of one contract; without address, of every contract. */
interface Chosen {
  readonly address: string | undefined;
  readonly contractName: string | undefined;
  readonly fragment: AbiFragment;
  readonly topics: LogFilter['topics'];
}

const nowhere = `0x${'0'.repeat(40)}`;

/**
 * Looks up what a definition names.
 *
 * @throws stream.invalid, evm.unknownContract, evm.unknownFunction, evm.arguments
 */
export async function selectEvents(network: Network, definition: StreamDefinition): Promise<EventSelection> {
  const { contracts, events } = definition;
  const chosen: Chosen[] = [];
  if (events === undefined) {
    if (contracts === undefined || contracts === '*') {
      throw invalid('#/events', 'For every contract it must be said which events are meant.', 'Add events:');
    }
    for (const contract of contracts) chosen.push(...(await everyEvent(network, contract)));
  }
  for (const [index, wish] of (events ?? []).entries()) {
    const named = wish.contract === undefined ? contracts : wish.contract === '*' ? '*' : [wish.contract];
    if (named === undefined) {
      throw invalid(`#/events/${index}`, `It is not said whose event ${wish.event} is.`, 'Add contracts: or contract:');
    }
    for (const contract of named === '*' ? ['*'] : named) chosen.push(await choose(network, contract, wish, index));
  }
  const fragments = [...new Set(chosen.map(({ fragment }) => fragment))];
  return { events: fragments, filters: filtersOf(chosen), find: finderOf(chosen) };
}

async function everyEvent(network: Network, contract: string): Promise<Chosen[]> {
  const { abi, address, name } = await network.addressBook.get(contract);
  const fragments = abi.filter((fragment) => fragment.type === 'event' && fragment.anonymous !== true);
  return fragments.map((fragment) => ({ address, contractName: name, fragment, topics: [[topicOf(fragment)]] }));
}

async function choose(network: Network, contract: string, wish: EventWish, index: number): Promise<Chosen> {
  const { fragment, address, name } = await resolve(network, contract, wish);
  if (fragment.anonymous === true) {
    throw invalid(`#/events/${index}/event`, `${wish.event} is anonymous: its logs cannot be told from others.`);
  }
  const topics = filterTopics(fragment, wish.args ?? {}, `#/events/${index}/args`);
  return {
    address,
    contractName: name,
    fragment,
    topics: topics.map((topic) => (topic === null ? null : [topic].flat())),
  };
}

async function resolve(
  network: Network,
  contract: string,
  { event, abi }: EventWish,
): Promise<{ fragment: AbiFragment; address: string | undefined; name: string | undefined }> {
  const isEvery = contract === '*';
  if (isEventDeclaration(event)) {
    const fragment = parseEventDeclaration(event);
    if (isEvery) return { fragment, address: undefined, name: undefined };
    if (/^0x[0-9a-fA-F]{40}$/.test(contract)) {
      const address = contract.toLowerCase();
      return { fragment, address, name: await network.addressBook.findName(address) };
    }
    const { address, name } = await network.addressBook.get(contract, abi);
    return { fragment, address, name };
  }
  if (isEvery && abi === undefined) {
    throw new PatchbayError('evm.unknownContract', {
      detail: `For every contract the event ${event} must be declared or its ABI be named`,
      fix: 'Add abi:, or write the event with names and indexed, as Solidity does.',
    });
  }
  // For every contract the address only serves to find the ABI.
  const found = await network.addressBook.get(isEvery ? nowhere : contract, abi);
  const fragment = getFragment(found.abi, 'event', event);
  return isEvery
    ? { fragment, address: undefined, name: undefined }
    : { fragment, address: found.address, name: found.name };
}

/** As few as possible: events of the same contracts share one, and so do contracts with the same events. */
function filtersOf(chosen: readonly Chosen[]): LogFilter[] {
  const byTopics = new Map<string, { topics: LogFilter['topics']; addresses: Set<string> | undefined }>();
  for (const { topics, address } of chosen) {
    const key = JSON.stringify(topics);
    const known = byTopics.get(key);
    if (address === undefined) byTopics.set(key, { topics, addresses: undefined });
    else if (!known) byTopics.set(key, { topics, addresses: new Set([address]) });
    else known.addresses?.add(address);
  }
  const filters: LogFilter[] = [];
  const plain = new Map<string, { addresses: LogFilter['addresses']; topics: Set<string> }>();
  for (const { topics, addresses: set } of byTopics.values()) {
    const addresses = set && [...set].sort();
    const [names, ...rest] = topics;
    if (rest.length > 0 || !names) {
      filters.push({ addresses, topics });
      continue;
    }
    const key = addresses?.join() ?? '*';
    const known = plain.get(key) ?? { addresses, topics: new Set() };
    plain.set(key, known);
    for (const name of names) known.topics.add(name);
  }
  for (const { addresses, topics } of plain.values()) filters.push({ addresses, topics: [[...topics]] });
  return filters;
}

/** By contract, event and number of topics: events of the same signature may have other arguments indexed. */
function finderOf(chosen: readonly Chosen[]): EventSelection['find'] {
  const exact = new Map<string, SelectedEvent>();
  const similar = new Map<string, SelectedEvent>();
  for (const { address = '*', contractName, fragment } of chosen) {
    const decoder = compileLogDecoder(fragment);
    const selected = { decoder, contractName };
    exact.set(`${address} ${decoder.topic} ${String(decoder.topicCount)}`, selected);
    similar.set(`${address} ${decoder.topic}`, selected);
  }
  return ({ address, topics }) => {
    const topic = topics[0] ?? '';
    const count = String(topics.length);
    return (
      exact.get(`${address} ${topic} ${count}`) ??
      exact.get(`* ${topic} ${count}`) ??
      similar.get(`${address} ${topic}`) ??
      similar.get(`* ${topic}`)
    );
  };
}

function invalid(pointer: string, detail: string, fix?: string): PatchbayError {
  return new PatchbayError('stream.invalid', {
    detail,
    ...(fix === undefined ? {} : { fix }),
    faults: [{ pointer, detail, ...(fix === undefined ? {} : { fix }) }],
  });
}
