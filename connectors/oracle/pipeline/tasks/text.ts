import { formatDecimal, isDecimal, parseDecimal } from '../../decimal.js';
import type { TaskType } from '../task-type.js';
import { formatHex, isBytes, parseHex, refusal, toBytes, toText, type Value } from '../value.js';

const attributes = ['input'];

function ofInput(convert: (value: Value) => Value): TaskType {
  return { attributes, mostInputs: 1, run: ({ params }) => convert(params.getOrInput('input')) };
}

/** In bytes. */
export const length = ofInput((value) => parseDecimal(toBytes(value, 'input').length));

export const lowercase = ofInput((value) => toText(value, 'input').toLowerCase());

export const uppercase = ofInput((value) => toText(value, 'input').toUpperCase());

export const base64encode = ofInput((value) =>
  Buffer.from(isBytes(value) ? value : toText(value, 'input')).toString('base64'),
);

export const base64decode = ofInput((value) => {
  const text = toText(value, 'input');
  const bytes = Buffer.from(text, 'base64');
  // Decoding skips what does not belong; encoding again shows whether there was any.
  if (bytes.toString('base64') !== text) throw refusal('input is no base64 text');
  return bytes;
});

export const hexdecode = ofInput((value) => {
  const text = toText(value, 'input');
  const bytes = parseHex(text);
  if (bytes === undefined) throw refusal(`input must be 0x and pairs of hexadecimal digits, not ${text.slice(0, 100)}`);
  return bytes;
});

/** Of text the codes of its letters, of a whole number its digits; nothing stays nothing, without 0x. */
export const hexencode = ofInput((value) => {
  if (isDecimal(value)) {
    const digits = formatDecimal(value);
    if (!/^\d+$/.test(digits)) throw refusal(`input must be a whole number of 0 or more, not ${digits}`);
    return `0x${BigInt(digits).toString(16)}`;
  }
  const bytes = isBytes(value) ? value : Buffer.from(toText(value, 'input'), 'utf8');
  return bytes.length === 0 ? '' : formatHex(bytes);
});
