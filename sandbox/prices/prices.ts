import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Exchange, Reply, StandIn } from '../stand-in.js';
import { PriceWalk, parsePrice } from './price-walk.js';
import { priceSources, type PriceSource, type Quote } from './sources.js';

const faultOf = <Kind extends string>(kind: Kind) => ({
  kind: z.literal(kind),
  /** Absent: every source. */
  source: z.enum(priceSources.map(({ name }) => name)).optional(),
  /** Requests that meet it. Absent: all until it is cleared. */
  times: z.number().int().min(1).optional(),
});

/** How a source goes wrong. */
export const priceFault = z.discriminatedUnion('kind', [
  z.strictObject({ ...faultOf('lie'), price: z.string().regex(/^\d{1,30}(\.\d{1,8})?$/) }),
  z.strictObject({ ...faultOf('stall'), delayMs: z.number().int().min(0).default(60_000) }),
  z.strictObject({ ...faultOf('fail'), status: z.number().int().min(400).max(599).default(500) }),
  z.strictObject(faultOf('html')),
  z.strictObject(faultOf('nan')),
  z.strictObject(faultOf('null')),
  z.strictObject(faultOf('wrongPath')),
]);

export type PriceFault = z.output<typeof priceFault>;

const page = '<!doctype html><html><head><title>Back soon</title></head><body>We are back soon.</body></html>';

/** Plays several providers of prices, each with paths and a shape of its own. */
export class PricesStandIn implements StandIn {
  readonly name = 'prices';
  readonly walk: PriceWalk;
  #faults: (PriceFault & { left: number })[] = [];

  constructor(private readonly now: () => Date = () => new Date()) {
    this.walk = new PriceWalk(now);
  }

  /** The last one that was added for a source counts. */
  addFault(fault: PriceFault): void {
    this.#faults.unshift({ ...fault, left: fault.times ?? Infinity });
  }

  clearFaults(): void {
    this.#faults = [];
  }

  waitingFaults(): readonly PriceFault[] {
    return this.#faults.map(({ left, ...fault }) => ({ ...fault, ...(fault.times !== undefined && { times: left }) }));
  }

  async reply(exchange: Exchange): Promise<Reply> {
    for (const source of priceSources) {
      const pair = source.pairOf(exchange);
      if (pair !== undefined) return this.#quote(source, pair);
    }
    return { status: 404, body: 'Not Found' };
  }

  async #quote(source: PriceSource, pair: string): Promise<Reply> {
    const trueOne = this.walk.of(pair);
    if (trueOne === undefined) return source.unknown(pair);
    const price = trueOne + (trueOne * source.offset) / 100_000n;
    const fault = this.#next(source.name);
    const quote: Quote = { json: (text) => text, isMoved: false, at: this.now() };
    switch (fault?.kind) {
      case undefined:
        return source.reply(pair, price, quote);
      case 'lie':
        return source.reply(pair, parsePrice(fault.price), quote);
      case 'stall':
        await delay(fault.delayMs, undefined, { ref: false });
        return source.reply(pair, price, quote);
      case 'fail':
        return { status: fault.status, body: { error: 'internal' } };
      case 'html':
        return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: page };
      case 'nan':
        return source.reply(pair, price, { ...quote, json: () => '"NaN"' });
      case 'null':
        return source.reply(pair, price, { ...quote, json: () => 'null' });
      case 'wrongPath':
        return source.reply(pair, price, { ...quote, isMoved: true });
    }
  }

  #next(source: string): PriceFault | undefined {
    const fault = this.#faults.find((one) => one.source === undefined || one.source === source);
    if (fault === undefined) return undefined;
    fault.left -= 1;
    if (fault.left <= 0) this.#faults = this.#faults.filter((one) => one !== fault);
    return fault;
  }
}
