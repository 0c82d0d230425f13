import { PatchbayError } from '#sdk';

export type SoqlValue = string | number | boolean | null | readonly (string | number | boolean | null)[];

/**
 * Puts values in the place of `:name`, quoted and escaped, so that a value can never become part of the query. Names
 * inside quoted text and in date functions such as `LAST_N_DAYS:7` are left alone.
 */
export function bindSoql(soql: string, parameters: Readonly<Record<string, SoqlValue>>): string {
  return soql.replace(/'(?:[^'\\]|\\.)*'|(?<!\w):([A-Za-z_]\w*)/g, (whole, name: string | undefined) => {
    if (name === undefined) return whole;
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value !== undefined) return literal(value);
    throw new PatchbayError('salesforce.configuration', {
      detail: `The query names :${name}, which parameters does not give`,
      fix: `Add ${name} under parameters.`,
    });
  });
}

function literal(value: SoqlValue): string {
  if (Array.isArray(value)) return `(${value.map(literal).join(', ')})`;
  if (typeof value !== 'string') return String(value);
  const escaped = value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
  return `'${escaped}'`;
}
