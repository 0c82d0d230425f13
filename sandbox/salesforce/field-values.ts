import { isNumeric, type FieldSchema } from './field-schema.js';
import { parseRecordId } from './record-id.js';
import { RestError } from './rest-error.js';

/** The value as the field stores it: trimmed, empty as null, numbers rounded; refused when it does not fit. */
export function acceptValue(field: FieldSchema, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (field.isImplied && typeof value === 'boolean') return value;
  if (field.isImplied ? typeof value === 'number' : isNumeric(field.type)) return acceptNumber(field, value);
  if (field.type === 'boolean' && !field.isImplied) return acceptBoolean(field, value);
  if (typeof value !== 'string') throw cannotDeserialize(field, value);
  const text = value.trim();
  if (text === '') return null;
  if (field.type === 'base64') return text;
  if (field.type === 'reference') return acceptReference(field, text);
  if (field.type === 'date' || field.type === 'datetime') return acceptTime(field, text);
  if (text.length > field.length) {
    throw refusal(
      'STRING_TOO_LONG',
      `${field.name}: data value too large: ${text.slice(0, 40)} (max length=${field.length})`,
      field,
    );
  }
  if (field.type === 'email' && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text)) {
    throw refusal('INVALID_EMAIL_ADDRESS', `${field.name}: invalid email address: ${text}`, field);
  }
  if (field.isRestricted && field.picklist?.includes(text) === false) {
    throw refusal(
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
      `${field.name}: bad value for restricted picklist field: ${text}`,
      field,
    );
  }
  return text;
}

/** Salesforce keeps whole seconds, and writes them without a colon in the offset. */
export function stampOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}.000+0000`;
}

function acceptBoolean(field: FieldSchema, value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw cannotDeserialize(field, value);
}

function acceptNumber(field: FieldSchema, value: unknown): number {
  const text = String(value).trim();
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw cannotDeserialize(field, value);
  const number = Number(text);
  const wholeDigits = (field.precision ?? 18) - (field.scale ?? 0);
  if (Math.abs(number) >= 10 ** wholeDigits) {
    throw refusal(
      'NUMBER_OUTSIDE_VALID_RANGE',
      `${field.name}: value outside of valid range on numeric field: ${text}`,
      field,
    );
  }
  return field.scale === undefined ? number : Number(number.toFixed(field.scale));
}

function acceptReference(field: FieldSchema, text: string): string {
  const id = parseRecordId(text);
  if (id === undefined)
    throw refusal('MALFORMED_ID', `${field.name}: id value of incorrect type: ${text.slice(0, 40)}`, field);
  return id;
}

function acceptTime(field: FieldSchema, text: string): string {
  if (Number.isNaN(Date.parse(text))) throw cannotDeserialize(field, text);
  return field.type === 'date' ? text.slice(0, 10) : stampOf(new Date(text));
}

function refusal(code: string, message: string, field: FieldSchema): RestError {
  return new RestError(400, code, message, [field.name]);
}

function cannotDeserialize(field: FieldSchema, value: unknown): RestError {
  return new RestError(
    400,
    'JSON_PARSER_ERROR',
    `Cannot deserialize instance of ${field.type} from value ${JSON.stringify(value)} for field ${field.name}`,
  );
}
