import { faultsOfSigner, networkDirectory } from '#evm';
import { PatchbayError, syncLedger, type Fault, type SyncScope, type UseService } from '#sdk';
import { faultOfObject, type ObjectDescription } from './object-descriptions.js';
import type { SalesforceClient } from './salesforce.client.js';
import { SyncChain } from './sync-chain.js';
import { faultsInOrg, faultsOfKey, faultsOfTypes, faultsOnChain } from './sync-check.js';
import { jointsOf, type SyncMapping } from './sync-mapping.js';
import type { MergePlan } from './sync-merge.js';
import { SyncRecords } from './sync-records.js';
import { RecordSync } from './sync-run.js';
import { translationOf } from './sync-values.js';

export interface SyncContext {
  readonly client: SalesforceClient;
  readonly use: UseService;
  readonly signal: AbortSignal;
  readonly flow: string;
}

interface Checked {
  readonly faults: readonly Fault[];
  readonly description: ObjectDescription | undefined;
  readonly chain: SyncChain | undefined;
}

/** Everything that a sync needs, looked up. @throws salesforce.configuration with every fault at once */
export async function openSync(context: SyncContext, scope: SyncScope, mapping: SyncMapping): Promise<RecordSync> {
  const { faults, description, chain } = await checkSync(context, mapping);
  const [first] = faults;
  if (first !== undefined || description === undefined || chain === undefined) {
    throw new PatchbayError('salesforce.configuration', {
      detail: `The sync ${scope.sync} cannot work: ${faults.map(({ detail }) => detail).join('; ')}`,
      ...(first?.fix !== undefined && { fix: first.fix }),
      faults,
    });
  }
  const joints = jointsOf(mapping);
  const translations = new Map(
    joints.map(({ salesforce, chain: name, decimals }) => {
      const field = fieldOf(description, salesforce);
      return [salesforce, translationOf({ field, type: chain.outputs.get(name) ?? 'string', decimals })] as const;
    }),
  );
  return new RecordSync({
    scope,
    mapping,
    joints,
    plan: planOf(mapping, translations),
    translations,
    records: new SyncRecords(
      context.client,
      mapping,
      joints.map(({ salesforce }) => salesforce),
    ),
    chain,
    ledger: context.use(syncLedger),
    origin: `flow:${context.flow}`,
  });
}

/** What cannot work, as far as the org and the contract tell. Pointers go into the mapping. */
export async function checkSync(
  { client, use, signal }: Pick<SyncContext, 'client' | 'use' | 'signal'>,
  mapping: SyncMapping,
): Promise<Checked> {
  const [description, chain, signer] = await Promise.all([
    described(client, mapping.salesforce.object, signal),
    openChain(use, mapping),
    faultsOfSigner(use, mapping.chain.from, '/chain/from'),
  ]);
  const faults = [
    ...('fault' in description ? [description.fault] : faultsInOrg(mapping, description.found)),
    ...signer,
  ];
  if ('fault' in chain) faults.push(chain.fault);
  else {
    faults.push(...faultsOnChain(mapping, chain.abi));
    if (chain.found && 'found' in description) {
      faults.push(...faultsOfKey(mapping, description.found, chain.found.keyType));
      faults.push(...faultsOfTypes(mapping, description.found, chain.found.outputs));
    }
  }
  return {
    faults,
    description: 'found' in description ? description.found : undefined,
    chain: 'found' in chain ? chain.found : undefined,
  };
}

async function described(
  client: SalesforceClient,
  object: string,
  signal: AbortSignal,
): Promise<{ readonly found: ObjectDescription } | { readonly fault: Fault }> {
  try {
    return { found: await client.objects.of(object, signal) };
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'salesforce.notFound') throw error;
    const fault = faultOfObject(object, await client.objects.names(signal));
    return { fault: { ...fault, pointer: '/salesforce/object' } };
  }
}

async function openChain(use: UseService, mapping: SyncMapping) {
  const { network: name, contract: nameOrAddress, abi } = mapping.chain;
  try {
    const network = await use(networkDirectory).get(name);
    const contract = await network.addressBook.get(nameOrAddress, abi);
    const isReadable = contract.abi.some(({ type, name: own }) => type === 'function' && own === mapping.chain.read);
    return { abi: contract.abi, found: isReadable ? new SyncChain(network, contract, mapping.chain) : undefined };
  } catch (thrown) {
    const { code, detail, fix } = PatchbayError.from(thrown);
    const at = { 'evm.unknownContract': '/chain/contract', 'connection.notFound': '/chain/network' }[code as string];
    if (at === undefined) throw thrown;
    return { fault: { pointer: at, detail, ...(fix !== undefined && { fix }) } };
  }
}

export function planOf(
  mapping: SyncMapping,
  translations: ReadonlyMap<string, ReturnType<typeof translationOf>>,
): MergePlan {
  const { chain, deletes, conflict } = mapping;
  const columns = jointsOf(mapping).flatMap(({ salesforce: name, direction, conflict: own }) => {
    const translation = translations.get(name);
    if (translation === undefined) return [];
    return [{ name, direction, conflict: own, toSalesforce: translation.toSalesforce, toChain: translation.toChain }];
  });
  const signs = chain.from !== undefined;
  return {
    columns,
    conflict,
    onChain: deletes.onChain,
    inSalesforce: deletes.inSalesforce,
    mark: deletes.mark,
    canSet: signs && (chain.write !== undefined || mapping.fields.some(({ write }) => write !== undefined)),
    canRemove: signs && chain.remove !== undefined,
  };
}

function fieldOf({ fields }: ObjectDescription, name: string) {
  const found = fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  throw new PatchbayError('salesforce.configuration', { detail: `There is no field ${name}` });
}
