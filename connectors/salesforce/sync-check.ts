import { argumentNames, getFragment, type Abi, type AbiFragment } from '#evm';
import { PatchbayError, type Fault } from '#sdk';
import { faultsOfWrite, type FieldDescription, type ObjectDescription } from './object-descriptions.js';
import { bare, keyParameterOf, outputsOf } from './sync-chain.js';
import { jointsOf, type Joint, type SyncMapping } from './sync-mapping.js';
import { chainKindOf, fieldKindOf } from './sync-values.js';

/** What cannot work in a sync, by the words of the org; pointers go into the mapping. */
export function faultsInOrg(mapping: SyncMapping, description: ObjectDescription): Fault[] {
  const { salesforce, deletes } = mapping;
  const faults = at(
    '/salesforce/key',
    faultsOfWrite(description, { operation: 'upsert', matchOn: salesforce.key, fields: {} }),
  );
  const key = fieldOf(description, salesforce.key);
  if (faults.length === 0 && key !== undefined && fieldKindOf(key.type) !== 'text') {
    faults.push({
      pointer: '/salesforce/key',
      detail: `${key.name} of ${description.name} is a ${key.type}; a key is a text`,
      fix: 'Use a text field that is External ID and Unique.',
    });
  }
  for (const joint of jointsOf(mapping)) faults.push(...at(pointerOf(joint), faultsOfJoint(joint, description)));
  if (deletes.mark !== undefined) {
    const found = at(
      '/deletes/mark',
      faultsOfWrite(description, { operation: 'update', fields: { [deletes.mark]: true } }),
    );
    const mark = fieldOf(description, deletes.mark);
    if (found.length === 0 && mark !== undefined && fieldKindOf(mark.type) !== 'flag') {
      found.push({
        pointer: '/deletes/mark',
        detail: `${mark.name} of ${description.name} is a ${mark.type}; a mark is a checkbox`,
        fix: 'Use a checkbox field.',
      });
    }
    faults.push(...found);
  }
  if (deletes.onChain === 'delete' && !description.deletable) {
    faults.push({
      pointer: '/deletes/onChain',
      detail: `The user may not delete ${description.name} records`,
      fix: 'Give the user the right, or choose mark.',
    });
  }
  return faults;
}

/** What cannot work in a sync, by the ABI of the contract; pointers go into the mapping. */
export function faultsOnChain(mapping: SyncMapping, abi: Abi): Fault[] {
  const faults: Fault[] = [];
  const { chain } = mapping;
  const find = (kind: 'event' | 'function', name: string, pointer: string): AbiFragment | undefined => {
    try {
      return getFragment(abi, kind, name);
    } catch (error) {
      const { detail, fix } = PatchbayError.from(error);
      faults.push({ pointer, detail, ...(fix !== undefined && { fix }) });
      return undefined;
    }
  };
  chain.events.forEach((event, index) => {
    const fragment = find('event', event, `/chain/events/${index}`);
    const names = argumentNames(fragment?.inputs ?? []);
    if (fragment !== undefined && !names.includes(chain.key)) {
      faults.push({
        pointer: '/chain/key',
        detail: `The event ${event} has no argument ${chain.key}`,
        fix: `It has: ${names.join(', ') || 'none'}.`,
      });
    }
  });
  const read = find('function', chain.read, '/chain/read');
  if (read === undefined) return faults;
  if (read.inputs?.length !== 1 || read.outputs === undefined || read.outputs.length === 0) {
    faults.push({
      pointer: '/chain/read',
      detail: `${chain.read} must take the key alone and give what is kept under it`,
      fix: 'Name a view function such as memberOf(address).',
    });
    return faults;
  }
  const outputs = outputsOf(read);
  const known = `${chain.read} gives: ${[...outputs.keys()].join(', ')}.`;
  if (chain.exists !== undefined && !outputs.has(chain.exists)) {
    faults.push({ pointer: '/chain/exists', detail: `${chain.read} gives no ${chain.exists}`, fix: known });
  }
  const write = chain.write === undefined ? undefined : find('function', chain.write, '/chain/write');
  if (chain.remove !== undefined) find('function', chain.remove, '/chain/remove');
  for (const joint of jointsOf(mapping)) {
    const type = outputs.get(joint.chain);
    if (type === undefined) {
      if (joint.part === 'salesforce') {
        faults.push({
          pointer: `/fields/${joint.place}/chain`,
          detail: `${chain.read} gives no ${joint.chain}`,
          fix: known,
        });
      }
    } else if (chainKindOf(type) === undefined) {
      faults.push({
        pointer: `/fields/${joint.place}/chain`,
        detail: `${joint.chain} is a ${type}, which no single field can hold`,
        fix: 'Join the values that matter one by one, with a function that gives them.',
      });
    }
    faults.push(...faultsOfWriting(joint, chain, write, find));
  }
  if (write !== undefined) faults.push(...faultsOfArguments(write, chain.key, outputs, mapping));
  return faults;
}

/** Whether each value fits the field that it is shown in. */
export function faultsOfTypes(
  mapping: SyncMapping,
  description: ObjectDescription,
  types: ReadonlyMap<string, string>,
): Fault[] {
  return jointsOf(mapping).flatMap((joint) => {
    const field = fieldOf(description, joint.salesforce);
    const type = types.get(joint.chain);
    if (field === undefined || type === undefined || chainKindOf(type) === undefined) return [];
    const fault = misfitOf(joint, field, type);
    return fault === undefined ? [] : [{ pointer: pointerOf(joint), ...fault }];
  });
}

/** Whether the key of the contract fits the field that holds it. */
export function faultsOfKey({ salesforce }: SyncMapping, description: ObjectDescription, type: string): Fault[] {
  const field = fieldOf(description, salesforce.key);
  const needed = lengthOf(type);
  if (field === undefined || needed === undefined || fieldKindOf(field.type) !== 'text' || field.length >= needed)
    return [];
  return [{ pointer: '/salesforce/key', ...tooShort(field, type, needed) }];
}

function faultsOfJoint({ salesforce, direction }: Joint, description: ObjectDescription): Fault[] {
  const field = fieldOf(description, salesforce);
  if (field !== undefined && direction === 'toChain') return [];
  const value = field === undefined || fieldKindOf(field.type) !== 'text' ? null : '';
  return faultsOfWrite(description, { operation: 'upsert', fields: { [salesforce]: value } });
}

function misfitOf(
  { decimals, chain, direction }: Joint,
  field: FieldDescription,
  type: string,
): { detail: string; fix: string } | undefined {
  const kind = fieldKindOf(field.type);
  const value = chainKindOf(type);
  const what = `${field.name} is a ${field.type}, and ${chain} is a ${type}`;
  if (kind === undefined) {
    return {
      detail: `${what}: a sync does not write ${field.type} fields`,
      fix: 'Use a text, number, checkbox or date/time field.',
    };
  }
  if (kind === 'number') {
    if (value !== 'integer') return { detail: what, fix: `Use a ${fieldFor(value)} field.` };
    if (decimals === undefined && bitsOf(type) > 56 && direction !== 'toChain') {
      return {
        detail: `${what}: a number field holds 18 digits`,
        fix: 'Give decimals: of the amount, or use a text field with 78 characters.',
      };
    }
    return undefined;
  }
  if (decimals !== undefined) return { detail: `${what}: decimals are for number fields`, fix: 'Remove decimals.' };
  if (kind === 'flag') return value === 'flag' ? undefined : { detail: what, fix: `Use a ${fieldFor(value)} field.` };
  if (kind === 'time') {
    return value === 'integer' ? undefined : { detail: what, fix: `Use a ${fieldFor(value)} field.` };
  }
  if (value === 'flag') return { detail: what, fix: 'Use a checkbox field.' };
  const needed = lengthOf(type);
  if (direction === 'toChain' || needed === undefined || field.length >= needed) return undefined;
  return tooShort(field, type, needed);
}

function tooShort({ name, length }: FieldDescription, type: string, needed: number): { detail: string; fix: string } {
  return {
    detail: `${name} holds ${length} characters; a ${type} has up to ${needed}`,
    fix: `Make the field at least Text(${needed}).`,
  };
}

function faultsOfWriting(
  { place, part, direction, write: alone, salesforce, chain: name }: Joint,
  chain: SyncMapping['chain'],
  write: AbiFragment | undefined,
  find: (kind: 'function', name: string, pointer: string) => AbiFragment | undefined,
): Fault[] {
  if (direction === 'toSalesforce' || part === 'exact') return [];
  if (chain.from === undefined) {
    return [
      {
        pointer: `/fields/${place}`,
        detail: `${salesforce} goes to the chain, and no signer is named`,
        fix: 'Add from: to chain, or direction: toSalesforce to the field.',
      },
    ];
  }
  if (alone !== undefined) {
    find('function', alone, `/fields/${place}/write`);
    return [];
  }
  if (chain.write === undefined) {
    return [
      {
        pointer: `/fields/${place}`,
        detail: `${salesforce} goes to the chain, and no function writes ${name}`,
        fix: 'Add write: to chain or to the field, or direction: toSalesforce.',
      },
    ];
  }
  const names = argumentNames(write?.inputs ?? []);
  if (write === undefined || names.some((input) => bare(input) === bare(name))) return [];
  return [
    {
      pointer: `/fields/${place}/chain`,
      detail: `${chain.write} has no parameter ${name}`,
      fix: `It has: ${names.join(', ')}. A field can also have a write: of its own.`,
    },
  ];
}

/** What a call of the function would have to invent. */
function faultsOfArguments(
  write: AbiFragment,
  key: string,
  outputs: ReadonlyMap<string, string>,
  mapping: SyncMapping,
): Fault[] {
  const inputs = write.inputs ?? [];
  const keyPlace = keyParameterOf(inputs, key);
  const known = new Set([...outputs.keys(), ...mapping.fields.map(({ chain }) => chain)].map(bare));
  const unknown = argumentNames(inputs).filter((name, place) => place !== keyPlace && !known.has(bare(name)));
  return unknown.map((name) => ({
    pointer: '/chain/write',
    detail: `${write.name ?? ''} needs ${name}, which no field gives and ${mapping.chain.read} does not read`,
    fix: `Join ${name} to a field, or write the fields one by one.`,
  }));
}

function fieldOf({ fields }: ObjectDescription, name: string): FieldDescription | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

function pointerOf({ place, part }: Joint): string {
  return `/fields/${place}/${part}`;
}

function at(pointer: string, faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ ...fault, pointer }));
}

function bitsOf(type: string): number {
  return Number(/\d+$/.exec(type)?.[0] ?? 256);
}

/** Characters of the longest value; undefined: as long as somebody makes it. */
function lengthOf(type: string): number | undefined {
  const kind = chainKindOf(type);
  if (kind === 'address') return 42;
  if (kind === 'integer') return (2n ** BigInt(bitsOf(type))).toString().length + (type.startsWith('u') ? 0 : 1);
  if (kind === 'bytes' && type !== 'bytes') return 2 + 2 * bitsOf(type);
  return undefined;
}

function fieldFor(kind: ReturnType<typeof chainKindOf>): string {
  if (kind === 'flag') return 'checkbox';
  return kind === 'integer' ? 'number or text' : 'text';
}
