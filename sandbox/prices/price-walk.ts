/** Prices have so many decimals inside the sandbox. */
export const priceDecimals = 8;

const unit = 10n ** BigInt(priceDecimals);
const stepMs = 10_000;
/** Steps until a walk comes back to where it began, and how far it goes in hundredths of a per cent. */
const period = 720;
const reach = 150;

/** Where the walk of each pair begins. */
const beginnings: Readonly<Record<string, string>> = {
  'ETH-USD': '3120.55',
  'BTC-USD': '64210.1',
  'LINK-USD': '14.7235',
};

/** The true price of each pair: a walk that depends on the time alone, until somebody sets it. */
export class PriceWalk {
  readonly #set = new Map<string, bigint>();

  constructor(private readonly now: () => Date) {}

  pairs(): readonly string[] {
    return [...new Set([...Object.keys(beginnings), ...this.#set.keys()])];
  }

  /** In units of 10^-8; undefined when nobody trades the pair. */
  of(pair: string): bigint | undefined {
    const set = this.#set.get(pair);
    if (set !== undefined) return set;
    const beginning = beginnings[pair];
    if (beginning === undefined) return undefined;
    const step = Math.floor(this.now().getTime() / stepMs) % period;
    const hundredths = Math.round(reach * Math.sin((2 * Math.PI * step) / period));
    const price = parsePrice(beginning);
    return price + (price * BigInt(hundredths)) / 10_000n;
  }

  /** It stays so. */
  set(pair: string, price: string): void {
    this.#set.set(pair, parsePrice(price));
  }

  /** It walks on; all of them without a pair. */
  release(pair?: string): void {
    if (pair === undefined) this.#set.clear();
    else this.#set.delete(pair);
  }
}

/** @throws when it is no price above nothing with up to 8 decimals */
export function parsePrice(text: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,30})(?:\.(\d{1,8}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`${text} is no price: a number with up to ${priceDecimals} decimals`);
  return BigInt(whole + fraction.padEnd(priceDecimals, '0'));
}

/** Without zeros that say nothing. */
export function formatPrice(price: bigint): string {
  const fraction = (price % unit).toString().padStart(priceDecimals, '0').replace(/0+$/, '');
  return `${price / unit}${fraction === '' ? '' : `.${fraction}`}`;
}
