import { z } from '#sdk';

/** What an action might answer, made from its schema: texts name the place they stand for, lists are empty. */
export function sampleOf(schema: z.core.$ZodType, name: string): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return sampleOf(schema.unwrap(), name);
  }
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries<z.core.$ZodType>(schema.shape);
    return Object.fromEntries(fields.map(([key, field]) => [key, sampleOf(field, `${name}.${key}`)]));
  }
  if (schema instanceof z.ZodArray) return [];
  if (schema instanceof z.ZodRecord) return {};
  if (schema instanceof z.ZodUnion) return sampleOf(schema.options[0] ?? z.null(), name);
  if (schema instanceof z.ZodPipe) return sampleOf(schema.in, name);
  return candidates(name).find((candidate) => z.safeParse(schema, candidate).success) ?? `<${name}>`;
}

/** In order of what reads best; the first that a schema takes is used. */
function candidates(name: string): readonly unknown[] {
  return [
    `<${name}>`,
    0,
    1,
    false,
    '0',
    `0x${'0'.repeat(40)}`,
    `0x${'0'.repeat(64)}`,
    '0x',
    '1970-01-01T00:00:00.000Z',
    'https://example.com/',
    '00000000-0000-4000-8000-000000000000',
    '',
    null,
  ];
}
