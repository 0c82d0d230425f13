import type { Exchange, Reply } from '../stand-in.js';
import { formatPrice } from './price-walk.js';

/** What a source puts where its price belongs; `text` is what it would have been. */
export interface Quote {
  /** JSON, e.g. `"3120.55"` or `null`. */
  readonly json: (asSourceWould: string) => string;
  /** The price is under another name than it was. */
  readonly isMoved: boolean;
  readonly at: Date;
}

export interface PriceSource {
  /** The first part of its paths. */
  readonly name: string;
  /** How its price differs from the true one, in thousandths of a per cent. */
  readonly offset: bigint;
  /** The pair that is asked for, e.g. `ETH-USD`; undefined when nothing is under such a path. */
  pairOf(exchange: Exchange): string | undefined;
  reply(pair: string, price: bigint, quote: Quote): Reply;
  unknown(pair: string): Reply;
}

const json = { 'content-type': 'application/json; charset=utf-8' };

/** `GET /kestrel/v1/ticker?pair=ETH-USD`: numbers are text. */
const kestrel: PriceSource = {
  name: 'kestrel',
  offset: 0n,
  pairOf: ({ path, query }) => (path === '/kestrel/v1/ticker' ? (query['pair'] ?? '') : undefined),
  reply: (pair, price, { json: put, isMoved, at }) => ({
    status: 200,
    headers: json,
    body: `{"pair":"${pair}","${isMoved ? 'lastTrade' : 'last'}":${put(`"${formatPrice(price)}"`)},"time":"${at.toISOString()}"}`,
  }),
  unknown: (pair) => ({ status: 404, body: { error: `unknown pair ${pair}` } }),
};

/** `GET /harbour/markets/eth-usd/trades`: lists in lists, the newest trade first, numbers are numbers. */
const harbour: PriceSource = {
  name: 'harbour',
  offset: 20n,
  pairOf({ path }) {
    const [, pair] = /^\/harbour\/markets\/([\w-]+)\/trades$/.exec(path) ?? [];
    return pair?.toUpperCase();
  },
  reply(_pair, price, { json: put, isMoved, at }) {
    const seconds = Math.floor(at.getTime() / 1_000);
    const trades = `[[${seconds},${put(formatPrice(price))},0.35],[${seconds - 4},${formatPrice(price - 1n)},1.2]]`;
    return { status: 200, headers: json, body: `{"ok":true,"data":{"${isMoved ? 'deals' : 'trades'}":${trades}}}` };
  },
  // An error that looks like success to those who read the status alone.
  unknown: (pair) => ({ status: 200, body: { ok: false, data: {}, message: `no market ${pair}` } }),
};

/** `GET /meridian/api/quote?symbol=ETH-USD`: a number with more digits than a double holds. */
const meridian: PriceSource = {
  name: 'meridian',
  offset: -20n,
  pairOf: ({ path, query }) => (path === '/meridian/api/quote' ? (query['symbol'] ?? '') : undefined),
  reply: (pair, price, { json: put, isMoved, at }) => ({
    status: 200,
    headers: json,
    body: `{"result":{"symbol":"${pair.replace('-', '')}","quotes":[{"kind":"mid","${isMoved ? 'rate' : 'price'}":${put(withManyDigits(price))}}],"updated":${at.getTime()}}}`,
  }),
  unknown: (pair) => ({ status: 422, body: { result: null, reason: `cannot quote ${pair}` } }),
};

export const priceSources: readonly PriceSource[] = [kestrel, harbour, meridian];

/** 18 decimals, of which the last ones say that they were not lost. */
function withManyDigits(price: bigint): string {
  const text = formatPrice(price);
  const [whole = '0', fraction = ''] = text.split('.');
  return `${whole}.${fraction.padEnd(17, '0')}1`;
}
