import { z } from 'zod';

export { z };

/**
 * What a secret is at run time: it prints as `***` wherever it is logged, thrown or serialised.
 * Only a client that sends it calls `reveal()`.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***';
  }
}

/** A setting that is sealed in the store, masked in forms and redacted in output. Its value is a {@link Secret}. */
export function secret() {
  return z
    .union([z.string().min(1), z.instanceof(Secret)])
    .transform((value) => (value instanceof Secret ? value : new Secret(value)))
    .meta({ secret: true });
}

/** A 20-byte address as text, any letter case; the value is lower case, because addresses are compared as text. */
export function address() {
  return z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 0x and 40 hexadecimal digits')
    .transform((text) => text.toLowerCase())
    .meta({ format: 'address', examples: ['0x5fbdb2315678afecb367f032d93f642f64180aa3'] });
}

/** A whole number of any size, given as text or as a safe number; the value is decimal text. */
export function amount() {
  return z
    .union([z.string().regex(/^-?\d+$/, 'must be a whole number'), z.number().int(), z.bigint()])
    .transform((value) => value.toString())
    .meta({ format: 'amount', examples: ['25000000000'] });
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `2s`, `5m`, `1h`, `7d`; the value is milliseconds. */
export function duration() {
  return z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'must be a duration such as 500ms, 2s, 5m, 1h or 7d')
    .transform((text) => {
      const [, count = '0', unit = 'ms'] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
      return Math.round(Number(count) * unitMs[unit as keyof typeof unitMs]);
    })
    .meta({ format: 'duration', examples: ['2s', '5m'] });
}

/** How settled a block has to be: blocks on top of it, or the chain's own word. */
export function finalityInput() {
  return z.union([z.number().int().min(0).max(10_000), z.enum(['safe', 'finalized'])]);
}

/** Whether a schema leaf was made by {@link secret}. */
export function isSecretSchema(schema: z.ZodType): boolean {
  return schema.meta()?.['secret'] === true;
}
