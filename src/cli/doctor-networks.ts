import { trouble, type Finding } from './doctor-finding.js';
import type { ConnectionAnswer, NetworkAnswer } from './hub-answers.js';
import type { HubClient } from './hub-client.js';

/** What each chain's node can do, what the hub makes of it, and where that is weak. */
export async function* examineNetworks(hub: HubClient): AsyncGenerator<Finding> {
  let networks: readonly ConnectionAnswer[];
  try {
    ({ networks } = await hub.get<{ networks: readonly ConnectionAnswer[] }>('/api/networks'));
  } catch (error) {
    yield { what: 'networks', ...trouble(error) };
    return;
  }
  for (const { name } of networks) {
    try {
      yield* findingsOf(await hub.get<NetworkAnswer>(`/api/networks/${encodeURIComponent(name)}`));
    } catch (error) {
      const { detail, ...rest } = trouble(error);
      yield { what: 'network', detail: `${name}: ${detail}`, ...rest };
    }
  }
}

function findingsOf(network: NetworkAnswer): Finding[] {
  const { name, hints } = network;
  return [
    { state: 'good', what: 'network', detail: `${name} ${placeText(network)}; ${choiceText(network)}` },
    ...hints.map(({ detail, fix }): Finding => ({
      state: 'warning',
      what: 'network',
      detail: `${name}: ${detail}`,
      ...(fix !== undefined && { fix }),
    })),
  ];
}

function placeText({ chainId, client, head }: NetworkAnswer): string {
  const node = client === '' ? 'a node that does not say what it is' : client;
  return `is chain ${chainId} on ${node}, at block ${head.number}, ${head.ageSeconds} s old`;
}

function choiceText({ uses }: NetworkAnswer): string {
  return [
    { byBlock: 'receipts by block', byTransaction: 'receipts by transaction' }[uses.receipts],
    { batched: 'requests in batches', single: 'requests one by one' }[uses.requests],
    { eip1559: 'fees with base fee and tip', legacy: 'fees as gas price', free: 'no fees' }[uses.fees],
    uses.finalized === 'tag' ? 'final as the chain says' : `final with ${uses.blocksOnTop} blocks on top`,
  ].join(', ');
}
