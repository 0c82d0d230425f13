import { PatchbayError, type Fault } from '#sdk';
import type { SalesforceRest } from './salesforce.rest.js';

export interface FieldDescription {
  readonly name: string;
  readonly type: string;
  readonly length: number;
  /** Digits in all and after the point, of a number. */
  readonly precision?: number;
  readonly scale?: number;
  readonly label?: string;
  readonly nillable?: boolean;
  readonly defaultedOnCreate?: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly externalId: boolean;
  readonly idLookup: boolean;
  readonly relationshipName: string | null;
}

export interface ObjectDescription {
  readonly name: string;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly deletable: boolean;
  readonly fields: readonly FieldDescription[];
}

interface Known {
  readonly at: number;
  readonly description: Promise<ObjectDescription>;
  /** Of whoever asked. */
  readonly signal: AbortSignal;
}

const freshMs = 10 * 60_000;
const textTypes = new Set(['string', 'textarea', 'phone', 'url', 'email', 'encryptedstring']);

/** What the org says about its objects; asked once in ten minutes for each. jsforce forgets its own with every login. */
export class ObjectDescriptions {
  readonly #rest: SalesforceRest;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  constructor(rest: SalesforceRest, now: () => number = Date.now) {
    this.#rest = rest;
    this.#now = now;
  }

  /** @throws salesforce.notFound when the org has no such object, or the user may not see it */
  of(object: string, signal: AbortSignal): Promise<ObjectDescription> {
    const key = object.toLowerCase();
    const known = this.#known.get(key);
    if (known !== undefined && this.#now() - known.at < freshMs) {
      return known.description.catch((error: unknown) => {
        // Only whoever asked has given up; the others ask again.
        if (!known.signal.aborted || signal.aborted) throw error;
        return this.of(object, signal);
      });
    }
    const call = { method: 'GET', url: `/sobjects/${object}/describe`, action: `Describing ${object}` } as const;
    const description = this.#rest.json<ObjectDescription>(call, signal);
    this.#known.set(key, { at: this.#now(), description, signal });
    description.catch(() => this.#known.delete(key));
    return description;
  }

  /** As the org says now, for whoever has just changed it. */
  now(object: string, signal: AbortSignal): Promise<ObjectDescription> {
    this.#known.delete(object.toLowerCase());
    return this.of(object, signal);
  }

  /** Names of the objects that the user may see. */
  async names(signal: AbortSignal): Promise<readonly string[]> {
    const call = { method: 'GET', url: '/sobjects', action: 'Listing the objects of the org' } as const;
    const { sobjects } = await this.#rest.json<{ readonly sobjects: readonly { readonly name: string }[] }>(
      call,
      signal,
    );
    return sobjects.map(({ name }) => name);
  }
}

/** Why a refused write cannot work, and what to change, as far as the description of its object tells. */
export function faultsOfWrite(
  description: ObjectDescription,
  write: {
    readonly operation: 'create' | 'update' | 'upsert' | 'delete';
    readonly matchOn?: string | undefined;
    readonly fields: Readonly<Record<string, unknown>>;
  },
): Fault[] {
  const faults: Fault[] = [];
  const { operation, matchOn, fields } = write;
  const key = matchOn === undefined ? undefined : fieldOf(description, matchOn);
  if (matchOn !== undefined && key === undefined) {
    faults.push({ pointer: '/matchOn', ...unknownField(matchOn, description) });
  } else if (matchOn !== undefined && key?.externalId !== true && key?.idLookup !== true) {
    faults.push({
      pointer: '/matchOn',
      detail: `${matchOn} of ${description.name} is no external id`,
      fix: `Mark it External ID and Unique in the Object Manager, or match on one of: ${listed(description, (field) => field.externalId)}.`,
    });
  }
  for (const [name, value] of Object.entries(fields)) {
    const field = fieldOf(description, name);
    const pointer = `/fields/${name}`;
    if (field === undefined) {
      const isParent = description.fields.some((one) => one.relationshipName?.toLowerCase() === name.toLowerCase());
      if (!isParent && name !== 'attributes') faults.push({ pointer, ...unknownField(name, description) });
      continue;
    }
    if (!isWritable(field, operation)) {
      faults.push({
        pointer,
        detail: `${name} of ${description.name} cannot be written: Salesforce computes it, or the user has no right to edit it`,
        fix: 'Leave it out, or give the user edit access to the field.',
      });
    } else if (typeof value === 'string' && textTypes.has(field.type) && value.length > field.length) {
      faults.push({
        pointer,
        detail: `${name} of ${description.name} holds ${field.length} characters; the value has ${value.length}`,
        fix: `Make the field at least Text(${value.length}), or shorten the value.`,
      });
    }
  }
  return faults;
}

/** What to change when the org has no such object, or does not show it. */
export function faultOfObject(object: string, names: readonly string[]): Fault {
  const near = names.filter((name) => isNear(bare(name), bare(object)));
  return {
    pointer: '/object',
    detail: `The org has no object ${object}, or the user may not see it`,
    fix:
      near.length > 0
        ? `Did you mean ${near.slice(0, 3).join(' or ')}?`
        : 'Use its API name, with __c for a custom object, and give the user access to it.',
  };
}

/** The same faults as one error, so that whoever reads it need not look them up. */
export function explainedRefusal(error: PatchbayError, faults: readonly Fault[]): PatchbayError {
  const [first] = faults;
  if (first === undefined) return error;
  return new PatchbayError(error.code, {
    detail: `${error.detail} (${faults.map(({ detail }) => detail).join('; ')})`,
    ...(first.fix === undefined ? {} : { fix: faults.map(({ fix }) => fix).join(' ') }),
    faults,
    cause: error,
  });
}

function isWritable({ createable, updateable }: FieldDescription, operation: string): boolean {
  if (operation === 'upsert') return createable || updateable;
  return operation === 'create' ? createable : updateable;
}

/** The field of the object, whatever the case of its name. */
export function fieldOf({ fields }: ObjectDescription, name: string): FieldDescription | undefined {
  return fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

export function unknownField(name: string, description: ObjectDescription): { detail: string; fix: string } {
  const near = description.fields.filter((field) => isNear(bare(field.name), bare(name))).map((field) => field.name);
  return {
    detail: `${description.name} has no field ${name}, or the user may not see it`,
    fix:
      near.length > 0
        ? `Did you mean ${near.slice(0, 3).join(' or ')}?`
        : `Add it in the Object Manager, or use its API name; custom fields end in __c.`,
  };
}

function bare(name: string): string {
  return name.toLowerCase().replace(/__c$|_/g, '');
}

/** Equal but for one letter more, less or other; in a longer name also two that stand together. */
function isNear(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  let end = 0;
  const shorter = Math.min(one.length, other.length) - start;
  while (end < shorter && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return Math.max(one.length, other.length) - start - end <= (one.length > 3 ? 2 : 1);
}

function listed({ fields }: ObjectDescription, isWanted: (field: FieldDescription) => boolean): string {
  const names = fields.filter(isWanted).map(({ name }) => name);
  return names.length === 0 ? 'Id' : names.join(', ');
}
