import { PatchbayError } from '#sdk';

/** The most decimals a token can state (uint8). */
const maxDecimals = 255;

/**
 * `12.5` with 6 decimals is `12500000`. Exact: what has more decimal places than the token is refused, not rounded.
 *
 * @throws evm.arguments
 */
export function parseUnits(text: string, decimals: number): bigint {
  checkDecimals(decimals);
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (!match) {
    throw new PatchbayError('evm.arguments', {
      detail: `${JSON.stringify(text)} is no decimal number`,
      fix: 'Write it with digits and at most one point, e.g. 12.5',
    });
  }
  const [, sign = '', whole = '', given = ''] = match;
  const fraction = given.replace(/0+$/, '');
  if (fraction.length > decimals) {
    throw new PatchbayError('evm.arguments', {
      detail: `${text} has more than ${String(decimals)} decimal places`,
      fix: 'Round it first.',
    });
  }
  const value = BigInt(whole + fraction.padEnd(decimals, '0'));
  return sign === '' ? value : -value;
}

/** The opposite of {@link parseUnits}; no trailing zeros, no exponent. */
export function formatUnits(value: bigint | string, decimals: number): string {
  checkDecimals(decimals);
  const amount = BigInt(value);
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return `${amount < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function checkDecimals(decimals: number): void {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > maxDecimals) {
    throw new PatchbayError('evm.arguments', { detail: `${String(decimals)} is no number of decimals` });
  }
}
