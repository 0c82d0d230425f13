import { getFragment, type AbiFragment, type Abi, type Network } from '#evm';
import { PatchbayError } from '#sdk';
import { ask } from './contract-view.js';
import { decimalsOf, findRound } from './feed.js';
import * as abi from './feed-abi.js';
import type { Published } from './publishing-rule.js';

export interface PublishingCall {
  readonly fragment: AbiFragment;
  readonly args: readonly string[];
  /** Explains refusals. */
  readonly errors: Abi;
  /** What it may cost more when others are faster. */
  readonly extraGas: bigint;
}

/** How the present state of a round that several answer bears on whoever would report. */
export interface OpenRound {
  readonly roundId: bigint;
  /** Others have reported for it, and this one has not. */
  readonly isWaitedFor: boolean;
  /** What this one has reported for it and still counts. */
  readonly own: Published | undefined;
}

export interface TargetState {
  /** Undefined: nothing was published yet. */
  readonly current: Published | undefined;
  readonly open?: OpenRound;
}

/** A contract that values are published to: what it has now, and how it is told another value. */
export interface PublishingTarget {
  readonly decimals: number;
  readonly fragment: AbiFragment;
  state(now: number): Promise<TargetState>;
  call(raw: bigint, observedAt: number, state: TargetState): Promise<PublishingCall>;
}

export interface TargetOptions {
  readonly network: Network;
  readonly address: string;
  /** Who reports. */
  readonly sender: string;
  readonly decimals: number | undefined;
  readonly signal: AbortSignal;
}

/** PriceFeed of this project. */
export async function priceFeedTarget({ network, address, sender, signal }: TargetOptions): Promise<PublishingTarget> {
  const options = { signal };
  return {
    decimals: await decimalsOf(network, address, options),
    fragment: abi.report,
    async state(now) {
      const [round, open, own, { maxReportAge }] = await Promise.all([
        findRound(network, address, options),
        ask(network, address, abi.openRound, {}, options),
        ask(network, address, abi.reports, { reporter: sender }, options),
        ask(network, address, abi.rules, {}, options),
      ]);
      const roundId = BigInt(String(open['roundId']));
      const observedAt = Number(own['observedAt']);
      const counts = BigInt(String(own['roundId'])) === roundId && observedAt >= now - Number(maxReportAge);
      return {
        current: round && { raw: round.answer, updatedAt: round.updatedAt },
        open: {
          roundId,
          isWaitedFor: !counts && BigInt(String(open['freshReports'])) > 0n,
          own: counts ? { raw: BigInt(String(own['answer'])), updatedAt: observedAt } : undefined,
        },
      };
    },
    call: (raw, observedAt, { open }) =>
      Promise.resolve({
        fragment: abi.report,
        args: [String(open!.roundId), raw.toString(), String(observedAt)],
        errors: abi.priceFeedErrors,
        // It may turn out to be the report that completes the round.
        extraGas: 120_000n,
      }),
  };
}

const greatestUint128 = 2n ** 128n - 1n;

/** Lighthouse of Rhombus: `write(value, nonce)`. */
export function lighthouseTarget({ network, address, decimals, signal }: TargetOptions): PublishingTarget {
  const options = { signal };
  return {
    decimals: required(decimals),
    fragment: abi.writeLighthouse,
    async state() {
      const [data, updated] = await Promise.all([
        ask(network, address, abi.peekData, {}, options),
        ask(network, address, abi.peekUpdated, {}, options),
      ]);
      const updatedAt = Number(updated['value']);
      // `ok` also turns false with age; only what was never written has no time.
      if (updatedAt === 0) return { current: undefined };
      return { current: { raw: BigInt(String(data['value'])), updatedAt } };
    },
    async call(raw) {
      if (raw < 0n || raw > greatestUint128) {
        throw new PatchbayError('oracle.answer', { detail: `A lighthouse cannot hold ${raw.toString()}` });
      }
      const nonce = await ask(network, address, abi.peekLastNonce, {}, options);
      return {
        fragment: abi.writeLighthouse,
        args: [raw.toString(), String(BigInt(String(nonce['value'])) + 1n)],
        errors: [],
        extraGas: 0n,
      };
    },
  };
}

export interface SetterOptions extends TargetOptions {
  /** Name, or signature such as `setPrice(int256)`; a second parameter takes the time in seconds. */
  readonly setter: string;
  /** View functions with one output that tell the present value, and when it was set. */
  readonly getter: string | undefined;
  readonly timeGetter: string | undefined;
  /** Of the contract, where it is known. */
  readonly abi: Abi;
}

/** Any contract with a function that takes a number. */
export function setterTarget(options: SetterOptions): PublishingTarget {
  const { network, address, signal, setter, getter, timeGetter } = options;
  const fragment = functionOf(options.abi, setter, []);
  const types = (fragment.inputs ?? []).map(({ type }) => type);
  if (types.length < 1 || types.length > 2 || !types.every((type) => /^u?int\d*$/.test(type))) {
    throw new PatchbayError('flow.input', {
      detail: `${setter} cannot be told a value: it must take one whole number, or two, of which the second is the time`,
      fix: 'Write it with its types, such as setPrice(int256), or use evm.sendTransaction.',
    });
  }
  const read = async (name: string): Promise<bigint> => {
    const said = Object.values(
      await ask(network, address, functionOf(options.abi, name, [{ type: 'int256' }]), {}, { signal }),
    );
    return BigInt(String(said[0]));
  };
  return {
    decimals: required(options.decimals),
    fragment,
    async state() {
      const [raw, updatedAt] = await Promise.all([getter && read(getter), timeGetter && read(timeGetter)]);
      if (typeof raw !== 'bigint' || updatedAt === 0n) return { current: undefined };
      return { current: { raw, updatedAt: typeof updatedAt === 'bigint' ? Number(updatedAt) : undefined } };
    },
    call: (raw, observedAt) =>
      Promise.resolve({
        fragment,
        args: types.length === 1 ? [raw.toString()] : [raw.toString(), String(observedAt)],
        errors: options.abi,
        extraGas: 0n,
      }),
  };
}

function functionOf(known: Abi, nameOrSignature: string, outputs: NonNullable<AbiFragment['outputs']>): AbiFragment {
  const [, name, types] = /^\s*(\w+)\s*(?:\(([^()]*)\))?\s*$/.exec(nameOrSignature) ?? [];
  if (name === undefined) {
    throw new PatchbayError('flow.input', {
      detail: `${JSON.stringify(nameOrSignature)} is no function`,
      fix: 'Write its name, or its signature, such as setPrice(int256).',
    });
  }
  if (known.length > 0 || (types === undefined && outputs.length === 0)) {
    return getFragment(known, 'function', nameOrSignature);
  }
  const inputs = (types ?? '')
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== '')
    .map((type) => ({ type }));
  return { type: 'function', name, inputs, outputs, stateMutability: outputs.length > 0 ? 'view' : 'nonpayable' };
}

function required(decimals: number | undefined): number {
  if (decimals !== undefined) return decimals;
  throw new PatchbayError('flow.input', {
    detail: 'This contract does not say its decimals',
    fix: 'Give decimals: how many places of the value the whole number on the chain has.',
  });
}
