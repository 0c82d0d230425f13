import { sendLimitsSchema, type SendLimits } from '#platform';
import { PatchbayError, z, type Fault } from '#sdk';

/** What `patchbay.yaml` says about who may send what, by name. */
export interface DeclaredLimits {
  readonly signers: ReadonlyMap<string, SendLimits>;
  /** They hold for each account of the wallet by itself. */
  readonly wallets: ReadonlyMap<string, SendLimits>;
  readonly flows: ReadonlyMap<string, SendLimits>;
  readonly keys: ReadonlyMap<string, SendLimits>;
}

const entry = sendLimitsSchema.extend({
  for: z.union([z.strictObject({ flow: z.string().min(1) }), z.strictObject({ key: z.string().min(1) })], {
    error: 'must be { flow: NAME } or { key: NAME }',
  }),
});

/**
 * The limits in the file: those of signers and wallets beside them, those of flows and API keys in the list `limits:`.
 *
 * @throws config.invalid with every fault
 */
export function parseDeclaredLimits(file: {
  readonly limits: readonly unknown[];
  readonly signers: WithLimits;
  readonly wallets: WithLimits;
}): DeclaredLimits {
  const faults: Fault[] = [];
  const signers = limitsBeside('signers', file.signers, faults);
  const wallets = limitsBeside('wallets', file.wallets, faults);
  const flows = new Map<string, SendLimits>();
  const keys = new Map<string, SendLimits>();
  for (const [index, given] of file.limits.entries()) {
    const parsed = entry.safeParse(given);
    if (!parsed.success) {
      faults.push(...faultsOf(`/limits/${String(index)}`, parsed.error));
      continue;
    }
    const { for: whom, ...limits } = parsed.data;
    const [known, name] = 'flow' in whom ? [flows, whom.flow] : [keys, whom.key];
    if (known.has(name)) faults.push({ pointer: `/limits/${String(index)}/for`, detail: `${name} has limits already` });
    known.set(name, limits);
  }
  if (faults.length > 0) {
    throw new PatchbayError('config.invalid', {
      detail: `The limits are not valid: ${faults[0]?.pointer ?? ''} ${faults[0]?.detail ?? ''}`,
      fix: 'See docs/operations.md for the form of limits.',
      faults,
    });
  }
  return { signers, wallets, flows, keys };
}

type WithLimits = ReadonlyMap<string, { readonly limits?: unknown }>;

function limitsBeside(section: string, declared: WithLimits, faults: Fault[]): Map<string, SendLimits> {
  const found = new Map<string, SendLimits>();
  for (const [name, { limits }] of declared) {
    if (limits === undefined) continue;
    const parsed = sendLimitsSchema.safeParse(limits);
    if (parsed.success) found.set(name, parsed.data);
    else faults.push(...faultsOf(`/${section}/${name}/limits`, parsed.error));
  }
  return found;
}

function faultsOf(pointer: string, error: z.ZodError): Fault[] {
  return error.issues.map((issue) => ({
    pointer: [pointer, ...issue.path.map(String)].join('/'),
    detail: issue.code === 'unrecognized_keys' ? `Unknown field: ${issue.keys.join(', ')}` : issue.message,
  }));
}
