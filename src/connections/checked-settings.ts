import { findUnknownFields } from '#engine';
import { PatchbayError, type Fault, type ObjectSchema } from '#sdk';

interface Written {
  readonly name: string;
  readonly connector: string;
  readonly settings: unknown;
}

/** The settings of a connection as its connector takes them. @throws connection.invalid with every fault */
export function checkedSettings(written: Written, schema: ObjectSchema): Record<string, unknown> {
  return parsed(written, schema, []);
}

/**
 * That somebody who types settings has not mistyped a name: one that the connector does not know is a fault as well.
 *
 * @param found what the connector's own check has found
 */
export function checkTypedSettings(written: Written, schema: ObjectSchema, found: readonly Fault[] = []): void {
  const unknown = findUnknownFields(written.settings, schema).map(({ path, fix }) => ({
    pointer: `/${path.join('/')}`,
    detail: 'Unknown setting',
    ...(fix !== undefined && { fix }),
  }));
  parsed(written, schema, [...unknown, ...found]);
}

function parsed(
  { name, connector, settings }: Written,
  schema: ObjectSchema,
  known: readonly Fault[],
): Record<string, unknown> {
  const result = schema.safeParse(settings);
  if (result.success && known.length === 0) return result.data;
  // The keys that a strict schema refuses are among the known faults already.
  const issues = (result.error?.issues ?? []).filter(({ code }) => known.length === 0 || code !== 'unrecognized_keys');
  throw new PatchbayError('connection.invalid', {
    detail: `The settings of the connection ${name} are not valid.`,
    fix: `The page of the ${connector} connector lists its settings.`,
    faults: [...known, ...issues.map((issue) => ({ pointer: `/${issue.path.join('/')}`, detail: issue.message }))],
  });
}
