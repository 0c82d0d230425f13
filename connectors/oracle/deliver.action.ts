import { checkSigner, compileLogDecoder, describeRevert, findReceipt, type TransactionRecord } from '#evm';
import { PatchbayError, amount, defineAction, z } from '#sdk';
import { oracle } from './connection.js';
import { parseDecimal, roundDecimal, roundings } from './decimal.js';
import { ask, contractAddress } from './contract-view.js';
import { decimalsOf, formatAnswer, networkOf, now } from './feed.js';
import * as abi from './feed-abi.js';
import { feedContract, networkName, signerName, valueInput } from './feed-inputs.js';
import { describeSent, findSent, follow, senderOf, sentOutput, tell, waitInput, type Telling } from './feed-sending.js';
import { observedAtInput } from './observed-at.js';

const delivered = compileLogDecoder(abi.pointDelivered);
const failure = compileLogDecoder(abi.deliveryFailed);

const output = z.object({
  /** False when the contract has a point already that is as new; nothing was sent then. */
  published: z.boolean(),
  value: z.string(),
  raw: z.string(),
  sequence: z.string(),
  /** Subscribers that have the point. */
  delivered: z.number().optional(),
  /** Those that missed it, with what they said. */
  failed: z.array(z.object({ subscriber: z.string(), reason: z.string() })),
  ...sentOutput,
});

type Output = z.output<typeof output>;

export const deliver = defineAction({
  title: 'Deliver a data point',
  summary: 'Pushes a value with its time and sequence to the contracts that subscribed to it.',
  connection: oracle,
  connectionOptional: true,
  input: z.strictObject({
    contract: feedContract.meta({
      title: 'Contract',
      description: 'DataPoints: name in the address book, or address.',
    }),
    network: networkName,
    from: signerName,
    value: valueInput,
    rounding: z.enum(roundings).default('truncate').meta({ title: 'Rounding' }),
    observedAt: observedAtInput,
    sequence: amount()
      .refine((text) => BigInt(text) > 0n && BigInt(text) < 2n ** 64n, 'must be greater than 0 and fit into 64 bits')
      .optional()
      .meta({ title: 'Sequence', description: 'Must rise from point to point. Default: one more than the last one.' }),
    wait: waitInput,
  }),
  output,
  examples: [{ contract: 'eth-usd-points', from: 'treasury', value: '3512.87' }],
  repeatable:
    'The step has one transaction for ever, and the contract takes no sequence twice. A subscriber that fails misses the point; the others have it.',
  movesValue: true,
  check: (context) => checkSigner(context),
  async run({ input: wanted, client, idempotencyKey, use, signal, flow }): Promise<Output> {
    const [network, { from, sender }] = await Promise.all([
      networkOf(wanted.network, client, use),
      senderOf(wanted.from, client, use),
    ]);
    const address = await contractAddress(network, wanted.contract);
    const telling = { network, use, idempotencyKey, from, sender, address, flow, wait: wanted.wait, signal };
    const decimals = await decimalsOf(network, address, { signal });
    const value = parseDecimal(wanted.value, 'value').times(parseDecimal(`1e${String(decimals)}`));
    const raw = roundDecimal(value, wanted.rounding);
    const about = { value: formatAnswer(raw, decimals), raw: raw.toString() };

    const sent = await findSent(telling);
    if (sent) return { ...about, ...(await describe(telling, await follow(telling, sent))) };

    const latest = await ask(network, address, abi.latestPoint, {}, { signal });
    const last = BigInt(String(latest['sequence']));
    const sequence = wanted.sequence === undefined ? last + 1n : BigInt(wanted.sequence);
    if (sequence <= last) return { published: false, ...about, sequence: sequence.toString(), failed: [] };
    const timestamp = wanted.observedAt ?? (await now(network, signal));
    const record = await tell(telling, {
      fragment: abi.deliverPoint,
      args: [raw.toString(), String(timestamp), sequence.toString()],
      errors: abi.dataPointsErrors,
      extraGas: 0n,
      contract: wanted.contract,
    });
    return { ...about, ...(await describe(telling, record)) };
  },
});

/** From what the contract emitted. */
async function describe(
  { network, address }: Telling,
  record: TransactionRecord,
): Promise<Omit<Output, 'value' | 'raw'>> {
  const receipt = record.place && (await findReceipt(network.rpc, record.place.hash));
  const logs = (receipt?.logs ?? []).filter((log) => log.address === address);
  const summary = logs.find(({ topics }) => topics[0] === delivered.topic);
  if (!summary) {
    throw new PatchbayError('evm.unknownFunction', {
      detail: `The contract ${address} did not say that it delivered anything`,
      fix: 'Check that it is DataPoints of this project.',
    });
  }
  const { args } = delivered.decode(summary);
  const failed = logs
    .filter(({ topics }) => topics[0] === failure.topic)
    .map((log) => {
      const { subscriber, reason } = failure.decode(log).args;
      return { subscriber: String(subscriber), reason: describeRevert([], String(reason)).message };
    });
  return {
    published: true,
    sequence: String(args['sequence']),
    delivered: Number(args['delivered']),
    failed,
    ...describeSent(record),
  };
}
