import { publishFeed } from '../../connectors/oracle/publish-feed.action.js';
import { artefact } from '../../src/evm/testing/dev-chain.js';
import type { Artefact } from '../../connectors/oracle/testing/chainlink-contracts.js';
import { deployContract, type Deployed } from './deployed.js';
import type { FeedStage } from './feed-stage.js';

/** Feeds on the chain of a stage: the project's own, and those of the vendor. */
export class PriceFeeds {
  constructor(
    private readonly stage: FeedStage,
    private readonly vendor: { readonly mock: Artefact; readonly proxy: Artefact },
  ) {}

  /** The project's own, to which reporters publish. */
  deploy({ reporters = [this.stage.signers.one], minReports = 1 } = {}): Promise<Deployed> {
    return deployContract(this.stage.chain, artefact('PriceFeed'), [
      8,
      'ETH / USD',
      -(10n ** 12n),
      10n ** 15n,
      minReports,
      // Specs mine blocks faster than time passes, and each is a second.
      1_000_000,
      reporters,
    ]);
  }

  mock(decimals: number, answer: bigint): Promise<Deployed> {
    return deployContract(this.stage.chain, this.vendor.mock, [decimals, answer]);
  }

  proxy(aggregator: string): Promise<Deployed> {
    return deployContract(this.stage.chain, this.vendor.proxy, [aggregator, `0x${'0'.repeat(40)}`]);
  }

  async publish(feed: Deployed, value: string, more: object = {}, step?: string) {
    return await this.stage.run(publishFeed, { contract: feed.address, from: 'one', value, ...more }, step);
  }
}

/** The proxy goes on to another aggregator. */
export async function move(proxy: Deployed, aggregator: string): Promise<void> {
  await proxy.send('proposeAggregator', [aggregator]);
  await proxy.send('confirmAggregator', [aggregator]);
}
