import { checkSigner } from '#evm';
import { PatchbayError, defineAction, duration, z } from '#sdk';
import { oracle } from './connection.js';
import { contractAddress } from './contract-view.js';
import { formatDecimal, parseDecimal, roundDecimal, roundings, type Decimal } from './decimal.js';
import { formatAnswer, isoTime, networkOf, now } from './feed.js';
import { bound, deviationInput, feedContract, networkName, signerName, valueInput } from './feed-inputs.js';
import {
  describeSent,
  findPending,
  findSent,
  follow,
  senderOf,
  sentOutput,
  tell,
  waitInput,
  type Telling,
} from './feed-sending.js';
import { observedAtInput } from './observed-at.js';
import { decide, type PublishingPolicy, type Published } from './publishing-rule.js';
import {
  lighthouseTarget,
  priceFeedTarget,
  setterTarget,
  type PublishingTarget,
  type TargetState,
} from './publishing-target.js';

const functionText = z.string().regex(/^\s*\w+\s*(\([\w\s,]*\))?\s*$/, 'must be a name, or a signature');
const reasons = [
  'first',
  'always',
  'deviation',
  'heartbeat',
  'joins',
  'sent',
  'unchanged',
  'tooSoon',
  'waiting',
  'pending',
  'late',
] as const;

const input = z
  .strictObject({
    contract: feedContract,
    network: networkName,
    from: signerName,
    value: valueInput,
    rounding: z.enum(roundings).default('truncate').meta({
      title: 'Rounding',
      description: 'What becomes of more decimals than the feed has.',
    }),
    observedAt: observedAtInput,
    deviation: deviationInput.optional().meta({
      title: 'Deviation',
      description:
        'It is published when it differs from what is on the chain by more than absolute and at least percent. Without deviation and heartbeat it is always published.',
      examples: [{ percent: '0.5' }],
    }),
    heartbeat: duration()
      .optional()
      .meta({
        title: 'Heartbeat',
        description: 'It is published when the last one is that old, however little has changed.',
        examples: ['1h'],
      }),
    minInterval: duration()
      .optional()
      .meta({ title: 'Least interval', description: 'It is not published sooner than that after the last one.' }),
    min: bound.optional().meta({ title: 'Least value', description: 'What is below it is never published.' }),
    max: bound.optional().meta({ title: 'Greatest value', description: 'What is above it is never published.' }),
    preset: z.enum(['priceFeed', 'lighthouse', 'setter']).default('priceFeed').meta({
      title: 'Preset',
      description:
        'priceFeed: the contract PriceFeed of this project. lighthouse: write(value, nonce). setter: function says what is called.',
    }),
    function: functionText.optional().meta({
      title: 'Function',
      description:
        'Of a setter: name, or signature where the contract is given by address. A second parameter takes the time in seconds.',
      examples: ['setPrice(int256)'],
    }),
    read: functionText.optional().meta({
      title: 'Read',
      description: 'Of a setter: view function that tells the present value, which deviation needs.',
      examples: ['price()'],
    }),
    readUpdatedAt: functionText.optional().meta({
      title: 'Read the time',
      description: 'Of a setter: view function that tells when it was set, which heartbeat and minInterval need.',
    }),
    decimals: z.number().int().min(0).max(77).optional().meta({
      title: 'Decimals',
      description: 'Of what does not say it itself: how many places of the value the whole number on the chain has.',
    }),
    wait: waitInput,
  })
  .superRefine((given, context) => {
    const missing = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (given.preset === 'setter') {
      const { deviation, heartbeat, minInterval, read, readUpdatedAt } = given;
      if (given.function === undefined) missing('function', 'A setter needs the function that is called');
      if (deviation && read === undefined) missing('read', 'deviation needs a function that tells the present value');
      if ((heartbeat ?? minInterval) !== undefined && (read === undefined || readUpdatedAt === undefined)) {
        missing('readUpdatedAt', 'heartbeat and minInterval need functions that tell the present value and its time');
      }
    } else if ((given.function ?? given.read ?? given.readUpdatedAt) !== undefined) {
      missing('preset', 'function, read and readUpdatedAt belong to preset: setter');
    }
    if (given.preset !== 'priceFeed' && given.decimals === undefined) {
      missing('decimals', 'This contract does not say its decimals');
    }
  });

type Input = z.output<typeof input>;

const output = z.object({
  published: z.boolean(),
  /**
   * Published: `first`, `always`, `deviation`, `heartbeat`, `joins` a round that others have begun, or `sent` by an earlier
   * attempt of this step. Not published: `unchanged`, `tooSoon`, `waiting` for other reporters, `pending` because one is on
   * its way, `late` because the others have answered the round without it.
   */
  reason: z.enum(reasons),
  /** With the decimals of the feed. */
  value: z.string(),
  /** As the chain gets it. */
  raw: z.string(),
  /** What was on the chain before. */
  previous: z.object({ value: z.string(), raw: z.string(), updatedAt: z.string().optional() }).optional(),
  roundId: z.string().optional(),
  ...sentOutput,
});

type Output = z.output<typeof output>;

export const publishFeed = defineAction({
  title: 'Publish to a feed',
  summary:
    'Publishes a value to a feed contract when it has changed enough, or has not been published for long enough.',
  connection: oracle,
  connectionOptional: true,
  input,
  output,
  examples: [
    {
      contract: 'eth-usd-feed',
      from: 'treasury',
      value: '3512.87',
      deviation: { percent: '0.5' },
      heartbeat: '1h',
      minInterval: '30s',
      min: '100',
      max: '100000',
    },
    {
      contract: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
      from: 'treasury',
      value: '21.5',
      preset: 'setter',
      function: 'setTemperature(int256)',
      read: 'temperature()',
      decimals: 2,
      deviation: { absolute: '0.25' },
    },
  ],
  repeatable:
    'The step has one transaction for ever: an attempt that finds it sent waits for it instead of deciding again. While a report of another run is on its way, nothing is sent.',
  movesValue: true,
  check: (context) => checkSigner(context),
  async run({ input: wanted, client, idempotencyKey, use, signal, flow }): Promise<Output> {
    const { wait } = wanted;
    const [network, { from, sender }] = await Promise.all([
      networkOf(wanted.network, client, use),
      senderOf(wanted.from, client, use),
    ]);
    const address = await contractAddress(network, wanted.contract);
    const telling = { network, use, idempotencyKey, from, sender, address, flow, wait, signal };
    const target = await targetOf(wanted, telling);
    const value = parseDecimal(wanted.value, 'value');
    assertWithin(wanted, value);
    const raw = roundDecimal(value.times(scale(target.decimals)), wanted.rounding);
    const about = { value: formatAnswer(raw, target.decimals), raw: raw.toString() };

    const sent = await findSent(telling);
    if (sent) return { published: true, reason: 'sent', ...about, ...describeSent(await follow(telling, sent)) };

    const time = await now(network, signal);
    const state = await target.state(time);
    const known = { ...about, ...previousOf(state, target.decimals) };
    const decision = choose(policyOf(wanted, target.decimals), state, raw, time);
    if (!decision.isPublished) return { published: false, reason: decision.reason, ...known };
    const pending = await findPending(telling, target.fragment);
    if (pending) return { published: false, reason: 'pending', ...known, transaction: pending.id };

    const call = await target.call(raw, wanted.observedAt ?? time, state);
    try {
      const record = await tell(telling, { ...call, contract: wanted.contract });
      return { published: true, reason: decision.reason, ...known, ...describeSent(record) };
    } catch (error) {
      if (await isLate(error, target, state, time)) return { published: false, reason: 'late', ...known };
      throw error;
    }
  },
});

async function targetOf(wanted: Input, { network, address, sender, signal }: Telling): Promise<PublishingTarget> {
  const options = { network, address, sender, decimals: wanted.decimals, signal };
  switch (wanted.preset) {
    case 'priceFeed':
      return await priceFeedTarget(options);
    case 'lighthouse':
      return lighthouseTarget(options);
    case 'setter': {
      const isNamed = !wanted.contract.startsWith('0x');
      const abi = isNamed ? (await network.addressBook.get(wanted.contract)).abi : [];
      const { function: setter = '', read: getter, readUpdatedAt: timeGetter } = wanted;
      return setterTarget({ ...options, setter, getter, timeGetter, abi });
    }
  }
}

function policyOf({ deviation, heartbeat, minInterval }: Input, decimals: number): PublishingPolicy {
  return {
    deviation: deviation && {
      percent: parseDecimal(deviation.percent, 'deviation.percent'),
      absolute: parseDecimal(deviation.absolute, 'deviation.absolute').times(scale(decimals)),
    },
    heartbeatMs: heartbeat,
    minIntervalMs: minInterval,
  };
}

/** Where several report, a round that is open counts for more than what was published last. */
function choose(
  policy: PublishingPolicy,
  { current, open }: TargetState,
  next: bigint,
  time: number,
): { readonly isPublished: boolean; readonly reason: (typeof reasons)[number] } {
  if (open?.own) {
    const again = decide({ ...policy, heartbeatMs: undefined }, { current: open.own, next, now: time });
    return again.reason === 'deviation' ? again : { isPublished: false, reason: 'waiting' };
  }
  if (open?.isWaitedFor) return { isPublished: true, reason: 'joins' };
  return decide(policy, { current, next, now: time });
}

/** The contract refuses what comes after the others have agreed, and nothing is wrong with that. */
async function isLate(error: unknown, target: PublishingTarget, before: TargetState, time: number): Promise<boolean> {
  if (!(error instanceof PatchbayError) || error.code !== 'evm.reverted' || !before.open) return false;
  // Before anything is mined, by what is on its way.
  if (error.detail.includes('RoundClosed(')) return true;
  const { open } = await target.state(time);
  return open !== undefined && open.roundId > before.open.roundId;
}

function previousOf({ current, open }: TargetState, decimals: number): Pick<Output, 'previous' | 'roundId'> {
  return {
    ...(current && { previous: describePublished(current, decimals) }),
    ...(open && { roundId: open.roundId.toString() }),
  };
}

function describePublished({ raw, updatedAt }: Published, decimals: number): NonNullable<Output['previous']> {
  return {
    value: formatAnswer(raw, decimals),
    raw: raw.toString(),
    ...(updatedAt !== undefined && { updatedAt: isoTime(updatedAt) }),
  };
}

function assertWithin({ min, max, contract }: Input, value: Decimal): void {
  const isBelow = min !== undefined && value.lt(parseDecimal(min, 'min'));
  const isAbove = max !== undefined && value.gt(parseDecimal(max, 'max'));
  if (!isBelow && !isAbove) return;
  throw new PatchbayError('oracle.answer', {
    detail: `${formatDecimal(value)} was not published to ${contract}: it is ${isBelow ? `below ${String(min)}` : `above ${String(max)}`}`,
    fix: 'Look at where the value comes from; when it is right, widen the band.',
  });
}

function scale(decimals: number): Decimal {
  return parseDecimal(`1e${String(decimals)}`);
}
