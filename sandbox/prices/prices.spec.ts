import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { PricesStandIn } from './prices.js';

let at = new Date('2026-01-01T00:00:00Z');
const prices = new PricesStandIn(() => at);
let server: StandInServer;

beforeAll(async () => {
  server = await startStandIn(prices);
});
afterAll(() => server.stop());
afterEach(() => {
  prices.clearFaults();
  prices.walk.release();
});

const kestrel = async () => (await fetch(`${server.url}/kestrel/v1/ticker?pair=ETH-USD`)).text();
const harbour = async () => (await fetch(`${server.url}/harbour/markets/eth-usd/trades`)).text();
const meridian = async () => (await fetch(`${server.url}/meridian/api/quote?symbol=ETH-USD`)).text();

describe('the providers of prices in the sandbox', () => {
  it('given a price, when it is asked for, then each provider says it in its own shape', async () => {
    prices.walk.set('ETH-USD', '3000.5');

    expect(JSON.parse(await kestrel())).toEqual({ pair: 'ETH-USD', last: '3000.5', time: at.toISOString() });
    expect(JSON.parse(await harbour())).toMatchObject({
      ok: true,
      data: { trades: [[1_767_225_600, 3001.1001, 0.35], expect.anything()] },
    });
    expect(await meridian()).toContain('"quotes":[{"kind":"mid","price":2999.899900000000000001}]');
  });

  it('given no price that was set, when time goes by, then it walks, and the same moment has the same price', async () => {
    const before = await kestrel();
    at = new Date(at.getTime() + 600_000);
    const after = await kestrel();
    at = new Date(at.getTime() - 600_000);

    expect(JSON.parse(after).last).not.toBe(JSON.parse(before).last);
    expect(await kestrel()).toBe(before);
  });

  it.each([
    [{ kind: 'lie', price: '1' }, '"last":"1"'],
    [{ kind: 'nan' }, '"last":"NaN"'],
    [{ kind: 'null' }, '"last":null'],
    [{ kind: 'wrongPath' }, '"lastTrade":"'],
    [{ kind: 'html' }, '<!doctype html>'],
    [{ kind: 'fail', status: 500 }, '{"error":"internal"}'],
    [{ kind: 'stall', delayMs: 1 }, '"last":"'],
  ] as const)('given %j of one provider, when all are asked, then it alone does so, once', async (fault, said) => {
    prices.addFault({ ...fault, source: 'kestrel', times: 1 });

    expect(await harbour()).toContain('"trades"');
    expect(await kestrel()).toContain(said);
    expect(await kestrel()).toMatch(/"last":"\d/);
    expect(prices.waitingFaults()).toEqual([]);
  });

  it('given a pair that nobody trades, when it is asked for, then each provider says so in its own way', async () => {
    const statuses = await Promise.all(
      ['kestrel/v1/ticker?pair=X-Y', 'harbour/markets/x-y/trades', 'meridian/api/quote?symbol=X-Y', 'nobody'].map(
        async (path) => (await fetch(`${server.url}/${path}`)).status,
      ),
    );

    expect(statuses).toEqual([404, 200, 422, 404]);
  });
});
