/** Significant digits that every reader of JSON keeps. */
const mostDigits = 15;

/** A number as JSON writes it; as text where it has more digits than everybody reads exactly. */
export function exactNumber(written: string): number | string {
  return isReadExactly(written) ? Number(written) : written;
}

/** Whether everybody reads the same number, which JSON writes so. */
export function isReadExactly(written: string): boolean {
  const digits = written
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  return digits.length <= mostDigits;
}
