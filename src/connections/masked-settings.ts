import { isSecretSchema, z, type ObjectSchema } from '#sdk';

/** Settings as they may be shown: secrets, however deep, and what the connector does not know, are starred out. */
export function maskSettings(
  { shape }: ObjectSchema,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return maskFields(shape, settings);
}

const masked = '***';

function maskFields(shape: Readonly<Record<string, z.ZodType>>, fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, Object.hasOwn(shape, key) ? mask(shape[key], value) : masked]),
  );
}

function mask(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined || isSecretSchema(schema)) return masked;
  const inner = (schema as { unwrap?: () => z.ZodType }).unwrap?.();
  if (schema instanceof z.ZodArray) {
    return Array.isArray(value) ? value.map((item) => mask(schema.element as z.ZodType, item)) : value;
  }
  if (inner !== undefined) return mask(inner, value);
  // Which of several it is, nobody has said yet.
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).some(holdsSecret) ? masked : value;
  if (value === null || typeof value !== 'object') return value;
  if (schema instanceof z.ZodObject) return maskFields(schema.shape, value);
  if (schema instanceof z.ZodRecord) {
    const item = schema.valueType as z.ZodType;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mask(item, one)]));
  }
  return value;
}

function holdsSecret(schema: z.ZodType): boolean {
  if (isSecretSchema(schema)) return true;
  const inner = (schema as { unwrap?: () => z.ZodType }).unwrap?.();
  if (inner !== undefined) return holdsSecret(inner);
  if (schema instanceof z.ZodObject) return Object.values(schema.shape).some(holdsSecret);
  if (schema instanceof z.ZodRecord) return holdsSecret(schema.valueType as z.ZodType);
  return schema instanceof z.ZodUnion && (schema.options as z.ZodType[]).some(holdsSecret);
}
