import { PatchbayError } from '#sdk';
import { findBySelector, signatureOf, type Abi, type AbiFragment } from './abi.js';
import { startReading, tupleReaderOf } from './abi-reader.js';

/** Elements of lists that one answer may have; a node's answer is larger than what a log can afford. */
const maxElements = 100_000;

/**
 * What a function answered, by name: integers as decimal text, addresses and bytes as lower-case hex, structs as objects.
 * Outputs without a name are `arg0`, `arg1`…, by their place.
 *
 * @throws evm.unknownFunction when it does not fit, since then the contract is another one
 */
export function decodeOutputs(fragment: AbiFragment, answer: string): Record<string, unknown> {
  const read = tupleReaderOf(fragment.outputs ?? none);
  try {
    return read(answer, 2, startReading(answer, maxElements));
  } catch (error) {
    throw new PatchbayError('evm.unknownFunction', {
      detail:
        answer === '0x'
          ? `Nothing answered the call of ${signatureOf(fragment)}`
          : `The answer to ${signatureOf(fragment)} does not fit the ABI`,
      fix: 'Check that the address holds that contract on this network.',
      cause: error,
    });
  }
}

export interface DecodedCall {
  readonly fragment: AbiFragment;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a transaction called; undefined when the ABI has no such function, or its arguments are none. */
export function decodeCall(abi: Abi, data: string): DecodedCall | undefined {
  const fragment = findBySelector(abi, 'function', data.slice(0, 10).toLowerCase());
  if (!fragment) return undefined;
  try {
    return { fragment, args: tupleReaderOf(fragment.inputs ?? none)(data, 10, startReading(data)) };
  } catch {
    return undefined;
  }
}

const none: [] = [];
