import { PatchbayError, type CheckContext, type Fault } from '#sdk';
import { faultOfObject, faultsOfWrite, fieldOf, unknownField, type ObjectDescription } from './object-descriptions.js';
import { parseTopicQuery } from './push-topic-query.js';
import type { SalesforceClient } from './salesforce.client.js';

type Context = CheckContext<SalesforceClient>;

const apiName = /^[A-Za-z]\w*$/;

/** What the org does not know or allow about a write, before it is made. */
export async function checkWrite(context: Context, operation: 'create' | 'update' | 'upsert'): Promise<Fault[]> {
  const { object, matchOn, fields } = context.input;
  const written = isRecord(fields) ? fields : {};
  const key = operation === 'upsert' && typeof matchOn === 'string' ? matchOn : undefined;
  const faults = await checkObject(context, object, '/object', (description) =>
    faultsOfWrite(description, { operation, matchOn: key, fields: written }),
  );
  if (key !== undefined && isRecord(fields) && !Object.keys(fields).includes(key)) {
    faults.push({
      pointer: '/matchOn',
      detail: `${key} has no value among the fields, so that no record can be found by it`,
      fix: `Give ${key} in fields as well.`,
    });
  }
  return faults;
}

/** Names of objects, and of fields that one of them has at least. */
export function checkNames(context: Context): Promise<Fault[]> {
  const { object, fields } = context.input;
  const names = Array.isArray(fields) ? (fields as readonly unknown[]) : [];
  const objects: readonly (readonly [unknown, string])[] = Array.isArray(object)
    ? object.map((name: unknown, index) => [name, `/object/${index}`])
    : [[object, '/object']];
  return confirmed(context, async (describe) => {
    const looked = await Promise.all(objects.map(([name, pointer]) => described(context, name, pointer, describe)));
    const faults = looked.flatMap(({ fault }) => fault ?? []);
    const descriptions = looked.flatMap(({ description }) => description ?? []);
    const [first] = descriptions;
    // A field may belong to an object whose name only a template gives.
    if (first === undefined || descriptions.length < objects.length) return faults;
    const unknown = names.flatMap((name, index) => {
      if (typeof name !== 'string' || descriptions.some((one) => fieldOf(one, name) !== undefined)) return [];
      return { pointer: `/fields/${index}`, ...unknownField(name, first) };
    });
    return [...faults, ...unknown];
  });
}

/** Object, fields and condition of a query; the condition is tried by asking for one row. */
export async function checkQuery(context: Context, pointer: string, soql: unknown, tries: boolean): Promise<Fault[]> {
  const query = typeof soql === 'string' ? parseTopicQuery(soql) : undefined;
  if (query === undefined) return [];
  const faults = await checkObject(context, query.object, pointer, (description) =>
    query.fields
      .filter((name) => fieldOf(description, name) === undefined)
      .map((name) => ({ pointer, ...unknownField(name, description) })),
  );
  if (!tries || faults.length > 0) return faults;
  try {
    await context.client.query(`${String(soql)} LIMIT 1`, 1, context.signal);
    return [];
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'salesforce.configuration') throw error;
    return [{ pointer, detail: `The org refuses the query: ${error.detail}`, fix: 'Try it in the Developer Console.' }];
  }
}

/** That there is a push topic of this name. */
export async function checkTopic({ client, signal }: Context, name: unknown): Promise<Fault[]> {
  if (typeof name !== 'string' || !/^[\w.-]{1,25}$/.test(name)) return [];
  const { records } = await client.query('SELECT Name FROM PushTopic', 200, signal);
  const names = records.map((record) => String(record['Name']));
  if (names.includes(name)) return [];
  const near = names.find((known) => known.toLowerCase() === name.toLowerCase());
  return [
    {
      pointer: '/topic',
      detail: `The org has no push topic ${name}, or the user may not read push topics`,
      fix: near === undefined ? 'Give query instead, and the hub makes the topic.' : `Did you mean ${near}?`,
    },
  ];
}

/** Faults of an object as `judge` finds them in its description. */
export function checkObject(
  context: Context,
  object: unknown,
  pointer: string,
  judge: (description: ObjectDescription) => readonly Fault[],
): Promise<Fault[]> {
  return confirmed(context, async (describe) => {
    const { description, fault } = await described(context, object, pointer, describe);
    return fault === undefined ? (description === undefined ? [] : [...judge(description)]) : [fault];
  });
}

type Describe = (object: string, signal: AbortSignal) => Promise<ObjectDescription>;

/** What was described before may have changed since: faults are told of what the org says now. */
async function confirmed(
  { client: { objects } }: Context,
  look: (describe: Describe) => Promise<Fault[]>,
): Promise<Fault[]> {
  const faults = await look((object, signal) => objects.of(object, signal));
  return faults.length === 0 ? [] : look((object, signal) => objects.now(object, signal));
}

/** Neither a description nor a fault: only a template gives the name, or the linter has more to say about it. */
async function described(
  { client, signal }: Context,
  object: unknown,
  pointer: string,
  describe: Describe,
): Promise<{ readonly description?: ObjectDescription; readonly fault?: Fault }> {
  if (typeof object !== 'string' || !apiName.test(object)) return {};
  try {
    return { description: await describe(object, signal) };
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'salesforce.notFound') throw error;
    return { fault: { ...faultOfObject(object, await client.objects.names(signal)), pointer } };
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
