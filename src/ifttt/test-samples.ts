import { iftttDeduplicationField, type IftttField } from '#sdk';
import { testDeduplicationKey } from './action-runs.js';
import type { BuiltInTrigger } from './built-in/built-in-trigger.js';
import { sampleOf, type ActionOffer } from './declarations.js';
import type { Query } from './queries.js';

export interface TestSamplesParts {
  readonly actions: readonly ActionOffer[];
  readonly builtIn: ReadonlyMap<string, BuiltInTrigger>;
  readonly queries: ReadonlyMap<string, Query>;
}

type BySlug = Record<string, Record<string, unknown>>;

/** What the endpoint tests of IFTTT fill in, for everything that the hub offers now. */
export async function testSamples({ actions, builtIn, queries }: TestSamplesParts): Promise<Record<string, BySlug>> {
  const triggers: BySlug = {};
  const triggerFieldValidations: BySlug = {};
  for (const [slug, trigger] of builtIn) {
    const sample = await trigger.sample();
    if (sample === undefined) continue;
    triggers[slug] = sample;
    const validated = Object.entries(trigger.invalidSample).filter(
      ([field]) => trigger.offer.fields.find((one) => one.slug === field)?.isValidated,
    );
    if (validated.length === 0) continue;
    triggerFieldValidations[slug] = Object.fromEntries(
      validated.map(([field, invalid]) => [field, { valid: sample[field] ?? '', invalid }]),
    );
  }
  const skipping = actions.flatMap((offer) => {
    const skipped = skippedBy(offer);
    return skipped === undefined ? [] : [[offer.slug, skipped] as const];
  });
  return {
    triggers,
    triggerFieldValidations,
    actions: Object.fromEntries(actions.map((offer) => [offer.slug, sampleFor(offer)])),
    actionRecordSkipping: Object.fromEntries(skipping),
    queries: Object.fromEntries([...queries].map(([slug, { offer }]) => [slug, emptyFields(offer.fields)])),
  };
}

function sampleFor({ declared }: ActionOffer): Record<string, unknown> {
  const fields = Object.entries(declared.fields).map(([slug, field]) => [slug, valueOf(field)] as const);
  // Nothing is done for it, whatever the tests of IFTTT call.
  return { ...Object.fromEntries(fields), [iftttDeduplicationField]: testDeduplicationKey };
}

function valueOf(field: IftttField): unknown {
  if (field.type === 'location')
    return { lat: 37.7749, lng: -122.4194, radius: 100, address: 'x', description: '', zoom: 12 };
  return field.type === 'checkboxes' ? [sampleOf(field)] : sampleOf(field);
}

/** The sample with one field that can never succeed; undefined where every input can. */
function skippedBy(offer: ActionOffer): Record<string, unknown> | undefined {
  const judged = Object.entries(offer.declared.fields).find(([, { required }]) => required);
  return judged && { ...sampleFor(offer), [judged[0]]: '' };
}

function emptyFields(fields: readonly { readonly slug: string }[]): Record<string, string> {
  return Object.fromEntries(fields.map(({ slug }) => [slug, '']));
}
