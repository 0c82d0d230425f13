import { describe, expect, it } from '@jest/globals';
import { selectorOf, signatureOf, topicOf, type Abi } from '#evm';
import { artefact } from '../../src/evm/testing/dev-chain.js';
import * as feedAbi from './feed-abi.js';

describe('the interfaces that are written by hand', () => {
  it.each([
    [
      'PriceFeed',
      ['decimals', 'description', 'latestRoundData', 'getRoundData', 'openRound', 'reports', 'rules', 'report'],
    ],
    ['DataPoints', ['decimals', 'latestPoint', 'deliverPoint']],
  ] as const)('given %s, then its functions, events and errors are those', (name, functions) => {
    const abi = artefact(name).abi as Abi;
    for (const part of functions) {
      const ours = feedAbi[part];
      const real = abi.find((fragment) => fragment.type === 'function' && selectorOf(fragment) === selectorOf(ours));
      expect(real?.outputs?.map(({ type }) => type)).toEqual(ours.outputs?.map(({ type }) => type));
    }
    const errors = name === 'PriceFeed' ? feedAbi.priceFeedErrors : feedAbi.dataPointsErrors;
    const known = abi.filter(({ type }) => type === 'error').map(signatureOf);
    for (const error of errors) expect(known).toContain(signatureOf(error));
    const events = name === 'PriceFeed' ? [feedAbi.answerUpdated] : [feedAbi.pointDelivered, feedAbi.deliveryFailed];
    const topics = abi.filter(({ type }) => type === 'event').map(topicOf);
    for (const event of events) expect(topics).toContain(topicOf(event));
  });
});
