const checkLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The 18-character form of a 15-character id: each block of five adds a letter that tells which of its letters are capitals. */
export function withChecksum(id15: string): string {
  const check = [0, 5, 10].map((start) => {
    const mask = [...id15.slice(start, start + 5)].reduce(
      (bits, letter, index) => (letter >= 'A' && letter <= 'Z' ? bits | (1 << index) : bits),
      0,
    );
    return checkLetters[mask];
  });
  return id15 + check.join('');
}

/** An id as Salesforce makes them: key prefix of the object, instance, running number. */
export function recordId(prefix: string, instance: string, serial: number): string {
  let text = '';
  for (let rest = serial; text.length < 9; rest = Math.floor(rest / 62)) text = (digits[rest % 62] ?? '0') + text;
  return withChecksum(`${prefix}${instance}${text}`.slice(0, 15));
}

/** The 18-character form of an id given with 15 or 18 characters; undefined when it is not an id. */
export function parseRecordId(text: string): string | undefined {
  if (/^[0-9a-zA-Z]{15}$/.test(text)) return withChecksum(text);
  if (!/^[0-9a-zA-Z]{18}$/.test(text)) return undefined;
  const id = withChecksum(text.slice(0, 15));
  return id.slice(15) === text.slice(15).toUpperCase() ? id : undefined;
}

/** A running number that is always the same for a name. */
export function serialOf(name: string): number {
  return [...name.toLowerCase()].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 2 ** 40, 7);
}
