import { parseDecimal, type Decimal } from './decimal.js';

export interface Quote {
  readonly name: string;
  readonly value: Decimal;
}

export interface Outlier extends Quote {
  /** How far from the median of all it is, in percent of that; undefined when that is 0. */
  readonly percent: Decimal | undefined;
}

export interface Curated {
  /** Undefined when nothing is left. */
  readonly value: Decimal | undefined;
  readonly kept: readonly Quote[];
  readonly outliers: readonly Outlier[];
}

const half = parseDecimal('0.5');
const hundred = parseDecimal(100);

/** The median of those that are no further from the median of all than so many percent of it. */
export function curate(quotes: readonly Quote[], mostPercent: Decimal | undefined): Curated {
  const first = medianOf(quotes);
  if (first === undefined || mostPercent === undefined) return { value: first, kept: quotes, outliers: [] };
  const kept: Quote[] = [];
  const outliers: Outlier[] = [];
  for (const quote of quotes) {
    const distance = quote.value.minus(first).abs().times(hundred);
    if (distance.lte(first.abs().times(mostPercent))) kept.push(quote);
    else outliers.push({ ...quote, percent: first.eq(0) ? undefined : distance.div(first.abs()) });
  }
  return { value: medianOf(kept), kept, outliers };
}

/** Exact: the mean of the middle two has one digit more than they have. */
function medianOf(quotes: readonly Quote[]): Decimal | undefined {
  const values = quotes.map(({ value }) => value).sort((one, other) => one.cmp(other));
  const upper = values[values.length >> 1];
  if (values.length % 2 === 1) return upper;
  const lower = values[(values.length >> 1) - 1];
  return lower && upper && lower.plus(upper).times(half);
}
