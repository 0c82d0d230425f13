import { PatchbayError, type ObjectSchema } from '#sdk';

/** The settings of a connection as its connector takes them. @throws connection.invalid with every fault */
export function checkedSettings(
  { name, connector, settings }: { readonly name: string; readonly connector: string; readonly settings: unknown },
  schema: ObjectSchema,
): Record<string, unknown> {
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new PatchbayError('connection.invalid', {
    detail: `The settings of the connection ${name} are not valid.`,
    fix: `The page of the ${connector} connector lists its settings.`,
    faults: parsed.error.issues.map((issue) => ({ pointer: `/${issue.path.join('/')}`, detail: issue.message })),
  });
}
