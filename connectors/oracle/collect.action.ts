import { PatchbayError, defineAction, duration, z, type HttpClient } from '#sdk';
import { oracle } from './connection.js';
import { curate, type Quote } from './curated-value.js';
import { formatDecimal, parseDecimal, roundDecimal, roundings, type Decimal, type Rounding } from './decimal.js';
import { decimalAt, type JsonPath } from './json-path.js';
import { sourceAddress } from './known-sources.js';
import type { OracleClient } from './oracle.client.js';

const decimalText = z.union([z.string(), z.number()]);
const mostSources = 31;
/** Prices come in documents of a few thousand bytes; whole markets in larger ones. */
const mostBytes = 1_048_576;

const source = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(60)
    .meta({ title: 'Name', examples: ['kraken'] }),
  url: z
    .union([
      z.url({ protocol: /^https?$/ }),
      z.string().regex(/^\//, 'must be an address, or a path that begins with /'),
    ])
    .meta({
      title: 'Address',
      description: 'Or a path below the address of the source that the connection has under the same name.',
      examples: ['https://one.example.com/v1/eth-usd', '/v1/eth-usd'],
    }),
  path: z
    .union([z.string(), z.array(z.union([z.string(), z.number().int()])).max(100)])
    .default([])
    .meta({
      title: 'Path',
      description:
        'Where the number is in the JSON answer: a list of keys and places, or text with commas; a negative place counts from the end. Default: the whole answer is the number.',
      examples: [['data', 0, 'price'], 'result,ETHUSD,c,0'],
    }),
  times: decimalText.optional().meta({ title: 'Times', description: 'The number is multiplied by it, exactly.' }),
  headers: z.record(z.string(), z.string()).default({}).meta({ title: 'Headers' }),
  onlyPublic: z.boolean().default(false).meta({
    title: 'Only public',
    description:
      'For an address that strangers choose, as in a request: it must be a whole one and public, also where the operator allows more.',
  }),
});

const input = z
  .strictObject({
    sources: z.array(source).min(1).max(mostSources).meta({ title: 'Sources' }),
    minimum: z.number().int().min(1).max(mostSources).optional().meta({
      title: 'Minimum',
      description: 'Sources that must have given a value that can be used. Default: more than half of them.',
    }),
    outliers: z
      .strictObject({ percent: decimalText.meta({ title: 'Percent', examples: [2] }) })
      .optional()
      .meta({
        title: 'Outliers',
        description: 'Values further from the median of all than so many percent of it do not count.',
      }),
    min: decimalText.optional().meta({ title: 'Least value', description: 'What is below it does not count.' }),
    max: decimalText.optional().meta({ title: 'Greatest value', description: 'What is above it does not count.' }),
    decimals: z
      .number()
      .int()
      .min(0)
      .max(77)
      .optional()
      .meta({ title: 'Decimals', description: 'To which the median is rounded. Default: all its digits.' }),
    rounding: z.enum(roundings).default('halfUp').meta({ title: 'Rounding' }),
    timeout: duration().prefault('5s').meta({ title: 'Time-out', description: 'For each source.' }),
  })
  .superRefine(({ sources, minimum }, context) => {
    const names = new Set(sources.map(({ name }) => name));
    if (names.size < sources.length) {
      context.addIssue({ code: 'custom', path: ['sources'], message: 'Each source must have a name of its own' });
    }
    if (minimum !== undefined && minimum > sources.length) {
      context.addIssue({ code: 'custom', path: ['minimum'], message: 'There are fewer sources than that' });
    }
  });

type Source = z.output<typeof source>;

const fault = z.object({ code: z.string(), detail: z.string() });

export const collect = defineAction({
  title: 'Collect a value',
  summary: 'Asks several sources for a number and gives the median of those that can be believed.',
  connection: oracle,
  connectionOptional: true,
  input,
  output: z.object({
    /** The median, as decimal text. */
    value: z.string(),
    /** How many counted, and how many were asked. */
    good: z.number(),
    total: z.number(),
    /** RFC 3339; when the first of them was asked. */
    observedAt: z.string(),
    /** What each gave, or why it does not count. */
    sources: z.array(z.object({ name: z.string(), value: z.string().optional(), fault: fault.optional() })),
  }),
  examples: [
    {
      sources: [
        { name: 'one', url: 'https://one.example.com/v1/eth-usd', path: ['data', 'price'] },
        { name: 'two', url: 'https://two.example.com/ticker?pair=ETHUSD', path: 'result,ETHUSD,c,0' },
        { name: 'three', url: 'https://three.example.com/cents/eth-usd', path: ['trades', -1, 'price'], times: '0.01' },
      ],
      outliers: { percent: 2 },
    },
  ],
  repeatable: 'It only reads; asked again, the sources may answer differently.',
  async run({ input: { sources, ...rules }, client, http, signal }) {
    const observedAt = new Date().toISOString();
    const band = bandOf(rules);
    const percent = rules.outliers && parseDecimal(rules.outliers.percent, 'outliers.percent');
    const answers = await Promise.all(
      sources.map(async (asked) => {
        try {
          return {
            name: asked.name,
            value: band(await ask(asked, { client, http, signal, timeoutMs: rules.timeout })),
          };
        } catch (error) {
          signal.throwIfAborted();
          return { name: asked.name, fault: PatchbayError.from(error) };
        }
      }),
    );
    const quotes = answers.flatMap(({ name, value }): readonly Quote[] => (value ? [{ name, value }] : []));
    const { value, kept, outliers } = curate(quotes, percent);
    const told = answers.map(({ name, value: given, fault: failed }) => {
      const outlier = outliers.find((one) => one.name === name);
      return {
        name,
        ...(given && { value: formatDecimal(given) }),
        ...(failed && { fault: { code: failed.code, detail: failed.detail } }),
        ...(outlier && { fault: { code: 'oracle.answer', detail: describeOutlier(outlier.percent) } }),
      };
    });
    const minimum = rules.minimum ?? (sources.length >> 1) + 1;
    if (value === undefined || kept.length < minimum) throw tooFew(told, kept.length, minimum);
    return {
      value: formatDecimal(rules.decimals === undefined ? value : rounded(value, rules.decimals, rules.rounding)),
      good: kept.length,
      total: sources.length,
      observedAt,
      sources: told,
    };
  },
});

interface Asking {
  readonly client: OracleClient | undefined;
  readonly http: HttpClient;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

async function ask(source: Source, { client, http, ...rest }: Asking): Promise<Decimal> {
  const { path, times, onlyPublic } = source;
  const { text } = await http.request({ ...sourceAddress(source, client), ...rest, onlyPublic, maxBytes: mostBytes });
  const value = decimalAt(text, stepsOf(path));
  return times === undefined ? value : value.times(parseDecimal(times, 'times'));
}

function stepsOf(path: Source['path']): JsonPath {
  if (typeof path !== 'string') return path.map(String);
  return path === '' ? [] : path.split(',');
}

function bandOf({ min, max }: Pick<z.output<typeof input>, 'min' | 'max'>): (value: Decimal) => Decimal {
  const least = min === undefined ? undefined : parseDecimal(min, 'min');
  const greatest = max === undefined ? undefined : parseDecimal(max, 'max');
  return (value) => {
    if (least && value.lt(least)) throw outOfBand(value, `below ${formatDecimal(least)}`);
    if (greatest && value.gt(greatest)) throw outOfBand(value, `above ${formatDecimal(greatest)}`);
    return value;
  };
}

function outOfBand(value: Decimal, how: string): PatchbayError {
  return new PatchbayError('oracle.answer', { detail: `The value ${formatDecimal(value)} is ${how}` });
}

function rounded(value: Decimal, decimals: number, rounding: Rounding): Decimal {
  const scaled = value.times(parseDecimal(`1e${String(decimals)}`));
  return parseDecimal(roundDecimal(scaled, rounding)).times(parseDecimal(`1e-${String(decimals)}`));
}

function describeOutlier(percent: Decimal | undefined): string {
  return percent === undefined
    ? 'The median of all is 0, and this is not'
    : `It is ${percent.toFixed(2)} % away from the median of all`;
}

function tooFew(
  told: readonly { readonly name: string; readonly fault?: { readonly code: string; readonly detail: string } }[],
  good: number,
  minimum: number,
): PatchbayError {
  const bad = told.flatMap(({ name, fault: why }) => (why ? [{ name, why }] : []));
  return new PatchbayError('oracle.sources', {
    detail: `${String(good)} of ${String(told.length)} sources gave a value that counts, and ${String(minimum)} are needed. ${bad.map(({ name, why }) => `${name}: ${why.detail}`).join('; ')}`,
    fix: 'Look at the sources, or let minimum: ask for fewer.',
    faults: bad.map(({ name, why }) => ({
      pointer: `/sources/${String(told.findIndex((one) => one.name === name))}`,
      detail: why.detail,
      rule: why.code,
    })),
  });
}
