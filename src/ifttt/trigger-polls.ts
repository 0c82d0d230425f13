import { createHash } from 'node:crypto';
import { PatchbayError } from '#sdk';
import type { BuiltInTrigger } from './built-in/built-in-trigger.js';
import { faultsOf } from './built-in/chain-choices.js';
import type { Declarations } from './declarations.js';
import { feedOfIdentity, feedOfSlug, type IdentitiesStore } from './identities.store.js';
import { isRecord, limitOf } from './ifttt-answer.js';
import { historySize, type ItemsStore, type StoredItem } from './items.store.js';
import type { FieldValues, Offer } from './offer.js';

export interface TriggerPollsParts {
  readonly declarations: Declarations;
  readonly builtIn: ReadonlyMap<string, BuiltInTrigger>;
  readonly items: ItemsStore;
  readonly identities: IdentitiesStore;
}

type Body = Readonly<Record<string, unknown>>;

/** The tests of IFTTT want so many, also from a hub where nothing has happened yet. */
const fewestInTests = 3;

/** What IFTTT finds when it asks a trigger. */
export class TriggerPolls {
  constructor(private readonly parts: TriggerPollsParts) {}

  /** @throws request.notFound */
  offer(slug: string): Offer {
    const offer = this.parts.builtIn.get(slug)?.offer ?? this.parts.declarations.trigger(slug);
    if (offer !== undefined) return offer;
    throw new PatchbayError('request.notFound', {
      detail: `There is no trigger ${slug}`,
      fix: 'Slugs are listed by: npx patchbay ifttt sheet',
    });
  }

  /**
   * The newest items, newest first, whether they were given before or not.
   *
   * @throws request.notFound, request.invalid
   */
  async poll(slug: string, body: Body, isTest: boolean): Promise<readonly Record<string, unknown>[]> {
    const offer = this.offer(slug);
    const fields = fieldsOf(offer.fields, body['triggerFields'], 'triggerFields');
    const limit = limitOf(body, historySize);
    const identity = identityOf(slug, body, fields);
    const builtIn = this.parts.builtIn.get(slug);
    const feed = builtIn ? feedOfIdentity(identity) : feedOfSlug(slug);
    if (builtIn) await assertValid(builtIn, fields);
    if (!isTest) await this.parts.identities.see({ identity, slug, feed, fields });
    const found = await this.parts.items.newest(feed, limit);
    const shown = found.map((item) => rendered(item, offer));
    return isTest ? [...shown, ...examplesOf(offer, found, Math.min(limit, fewestInTests))] : shown;
  }

  /** Nobody uses the identity any more; that it is not known is no fault. */
  async forget(identity: string): Promise<void> {
    await this.parts.identities.remove(identity);
  }
}

/**
 * What was filled in; a field that may be left out is then empty.
 *
 * @throws request.invalid – all of them or one that is required is missing
 */
export function fieldsOf(offered: Offer['fields'], given: unknown, name: string): FieldValues {
  if (given === undefined && offered.length === 0) return {};
  if (!isRecord(given)) throw new PatchbayError('request.invalid', { detail: `${name} is missing` });
  const missing = offered.filter(({ slug, isRequired }) => isRequired && !isFilled(given[slug]));
  if (missing.length > 0) {
    const names = missing.map(({ slug }) => slug).join(', ');
    throw new PatchbayError('request.invalid', { detail: `${name} lacks ${names}` });
  }
  return Object.fromEntries(offered.map(({ slug }) => [slug, given[slug] ?? '']));
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

async function assertValid(trigger: BuiltInTrigger, fields: FieldValues): Promise<void> {
  const faults = faultsOf(await trigger.validate(fields));
  if (faults.length > 0) throw new PatchbayError('request.invalid', { detail: faults.join('; ') });
}

/** Without an identity, equal fields are one. */
function identityOf(slug: string, body: Body, fields: FieldValues): string {
  const given = body['trigger_identity'];
  if (typeof given === 'string' && given !== '' && given.length <= 255) return given;
  return `fields:${createHash('sha256')
    .update(JSON.stringify([slug, fields]))
    .digest('hex')}`;
}

function rendered({ id, time, ingredients }: StoredItem, offer: Offer): Record<string, unknown> {
  return {
    ...Object.fromEntries(offer.ingredients.map(({ slug }) => [slug, ingredients[slug] ?? ''])),
    meta: { id, timestamp: Math.floor(time.getTime() / 1_000) },
  };
}

/** As many as are missing, older than what is there. */
function examplesOf(offer: Offer, found: readonly StoredItem[], wanted: number): Record<string, unknown>[] {
  const oldest = found.at(-1)?.time ?? new Date();
  return Array.from({ length: Math.max(0, wanted - found.length) }, (_, index) =>
    rendered(
      {
        id: `example-${offer.slug}-${index + 1}`,
        time: new Date(oldest.getTime() - (index + 1) * 60_000),
        ingredients: Object.fromEntries(offer.ingredients.map(({ slug, example }) => [slug, example])),
      },
      offer,
    ),
  );
}
