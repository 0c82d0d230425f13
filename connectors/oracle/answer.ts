import { encodeArguments, isAddress } from '#evm';
import { PatchbayError } from '#sdk';
import { formatDecimal, isDecimal, parseDecimal, roundDecimal, shown, type Decimal, type Rounding } from './decimal.js';

/** One value that goes on the chain. */
export interface AnswerPart {
  /** `uint8` … `uint256`, `int8` … `int256`, `bool`, `address`, `bytes1` … `bytes32`, `string`, `bytes`. */
  readonly type: string;
  readonly value: unknown;
  /** A number is multiplied by it before it is rounded: 100 keeps two decimals, 10^18 eighteen. */
  readonly times?: unknown;
  /** How a fraction becomes a whole number. Default: it is cut off. */
  readonly rounding?: Rounding | undefined;
}

/** `uint` and `int` mean their largest sizes, as in Solidity. */
export const answerType = /^(?:u?int(?:8|16|24|32|40|48|56|64|72|80|88|96|1[0-2][08]|1[1-9]2|1[3-6][0468]|[12]\d{2})?|bool|address|bytes(?:[1-9]|[12]\d|3[0-2])?|string)$/;

/** Fits in one word, as the first Oracle contracts want it. */
export function isOneWord({ type }: AnswerPart): boolean {
  return type !== 'string' && type !== 'bytes';
}

/**
 * The words of an answer, without anything in front of them. Numbers of any size are exact, and what does not fit its type
 * is refused rather than cut, wrapped round or made 0.
 *
 * @throws oracle.answer, which names the value
 */
export function encodeAnswer(parts: readonly AnswerPart[]): string {
  const fitted = parts.map((part, index) => fit(part, parts.length === 1 ? 'The answer' : `Value ${String(index + 1)}`));
  return encodeArguments(
    fitted.map(({ type }) => ({ name: '', type })),
    fitted.map(({ value }) => value),
  );
}

/** The arguments of a callback: the id of the request, then the values. @throws oracle.answer */
export function encodeCallback(requestId: string, parts: readonly AnswerPart[]): string {
  const values = parts.map((part, index) => fit(part, parts.length === 1 ? 'The answer' : `Value ${String(index + 1)}`));
  const all = [{ type: 'bytes32', value: requestId }, ...values];
  return encodeArguments(
    all.map(({ type }) => ({ name: '', type })),
    all.map(({ value }) => value),
  );
}
