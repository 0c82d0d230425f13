import { isSecretSchema, type ObjectSchema } from '#sdk';

type Leaf = Parameters<typeof isSecretSchema>[0];

/** Settings as they may be shown: secrets, and what the connector does not know, are starred out. */
export function maskSettings(
  { shape }: ObjectSchema,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const leaves = shape as Readonly<Record<string, Leaf>>;
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      const leaf = leaves[key];
      return [key, leaf === undefined || isSecretLeaf(leaf) ? '***' : value];
    }),
  );
}

function isSecretLeaf(schema: Leaf): boolean {
  if (isSecretSchema(schema)) return true;
  const inner = (schema as { unwrap?: () => Leaf }).unwrap?.();
  return inner !== undefined && isSecretLeaf(inner);
}
