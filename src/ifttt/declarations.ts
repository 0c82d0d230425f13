import type { FlowsService, KnownFlow } from '#flows';
import { iftttDeduplicationField, type IftttActionDeclaration, type IftttField } from '#sdk';
import type { SourcesService } from '#triggers';
import { titleOf, type Choice, type FieldOffer, type IngredientOffer, type Offer } from './offer.js';

const publishAction = 'ifttt.publish';
const actionTrigger = 'ifttt.action';

export interface ActionOffer extends Offer {
  readonly flow: string;
  readonly declared: IftttActionDeclaration;
}

/** As it is written in a step; values may be templates, names are not. */
interface Published {
  readonly trigger?: unknown;
  readonly title?: unknown;
  readonly description?: unknown;
  readonly ingredients?: unknown;
  readonly types?: unknown;
}

/** What the flows offer to IFTTT, read from the flows as they are now; those that are paused are offered too. */
export class Declarations {
  constructor(
    private readonly flows: FlowsService,
    private readonly sources: SourcesService,
    /** Slugs of the triggers that the hub has without any flow. */
    private readonly builtIn: ReadonlySet<string>,
  ) {}

  /** Triggers that steps publish to, by slug. */
  triggers(): readonly Offer[] {
    return this.#triggers().filter(({ slug }) => !this.builtIn.has(slug));
  }

  #triggers(): readonly Offer[] {
    const bySlug = new Map<string, Offer>();
    for (const flow of this.flows.list()) {
      const { steps, onFailure, onReverted } = flow.compiled.flow;
      for (const step of [...steps, ...onFailure, ...onReverted]) {
        if (step.uses !== publishAction) continue;
        const offer = triggerOf(flow, step.with);
        if (offer) bySlug.set(offer.slug, merged(bySlug.get(offer.slug), offer));
      }
    }
    return [...bySlug.values()].sort((a, b) => (a.slug < b.slug ? -1 : 1));
  }

  trigger(slug: string): Offer | undefined {
    return this.triggers().find((offer) => offer.slug === slug);
  }

  /** Of flows with the same slug the first one by name counts; see {@link conflicts}. */
  actions(): readonly ActionOffer[] {
    const bySlug = new Map<string, ActionOffer>();
    for (const offer of this.#actions()) if (!bySlug.has(offer.slug)) bySlug.set(offer.slug, offer);
    return [...bySlug.values()].sort((a, b) => (a.slug < b.slug ? -1 : 1));
  }

  action(slug: string): ActionOffer | undefined {
    return this.actions().find((offer) => offer.slug === slug);
  }

  /** Flows that IFTTT cannot reach, because something else has the same slug. */
  conflicts(): readonly { readonly flow: string; readonly slug: string; readonly takenBy: string }[] {
    const hidden = this.#triggers().filter(({ slug }) => this.builtIn.has(slug));
    const offered = new Map(this.actions().map(({ slug, flow }) => [slug, flow]));
    return [
      ...hidden.map(({ slug, flow = '' }) => ({ flow, slug, takenBy: 'the hub itself' })),
      ...this.#actions()
        .filter(({ slug, flow }) => offered.get(slug) !== flow)
        .map(({ slug, flow }) => ({ flow, slug, takenBy: `the flow ${offered.get(slug) ?? ''}` })),
    ];
  }

  #actions(): readonly ActionOffer[] {
    return this.flows
      .list()
      .filter(({ compiled }) => compiled.flow.trigger.uses === actionTrigger)
      .map((flow) => actionOf(flow, this.sources.of(flow.name).input as IftttActionDeclaration));
  }
}

function triggerOf(flow: KnownFlow, written: Published): Offer | undefined {
  const { trigger: slug, title, description, ingredients, types } = written;
  // The schema of the step has checked the names, unless they are templates: such a trigger cannot be known in advance.
  if (typeof slug !== 'string' || slug.includes('{{') || typeof ingredients !== 'object' || ingredients === null) {
    return undefined;
  }
  return {
    slug,
    title: textOr(title, titleOf(slug)),
    description: textOr(description, flow.compiled.flow.description ?? `Published by the flow ${flow.name}.`),
    flow: flow.name,
    fields: [],
    ingredients: Object.keys(ingredients).map((name): IngredientOffer => {
      const type = typeOf(types, name);
      return { slug: name, title: titleOf(name), type, example: exampleOf(type, name) };
    }),
  };
}

/** Two steps that publish to one trigger: it has the ingredients of both. */
function merged(known: Offer | undefined, offer: Offer): Offer {
  if (known === undefined) return offer;
  const names = new Set(known.ingredients.map(({ slug }) => slug));
  return { ...known, ingredients: [...known.ingredients, ...offer.ingredients.filter(({ slug }) => !names.has(slug))] };
}

function actionOf(flow: KnownFlow, declared: IftttActionDeclaration): ActionOffer {
  const { action: slug, title, description, fields } = declared;
  return {
    slug,
    title: title ?? titleOf(slug),
    description: description ?? flow.compiled.flow.description ?? `Starts the flow ${flow.name}.`,
    flow: flow.name,
    declared,
    ingredients: [],
    fields: [...Object.entries(fields).map(([name, field]) => fieldOf(name, field)), deduplicationField],
  };
}

const deduplicationField: FieldOffer = {
  slug: iftttDeduplicationField,
  title: 'Deduplication key',
  description: 'Optional: an ingredient that is the same when the same thing happens again, e.g. a transaction hash.',
  type: 'text',
  isRequired: false,
  isDynamic: false,
  isValidated: false,
  example: '',
};

function fieldOf(slug: string, field: IftttField): FieldOffer {
  const { title, description, type, required } = field;
  const isList = type === 'choice' || type === 'checkboxes';
  return {
    slug,
    title: title ?? titleOf(slug),
    description: description ?? '',
    type: type === 'choice' ? 'drop-down' : type === 'checkboxes' || type === 'location' ? type : 'text',
    isRequired: required,
    isDynamic: isList && field.options !== undefined,
    isValidated: false,
    example: sampleOf(field),
  };
}

/** Values of a field that can be chosen. */
export function choicesOf(field: IftttField | undefined): readonly Choice[] {
  return Object.entries(field?.options ?? {}).map(([value, label]) => ({ label, value }));
}

/** Something that the field takes. */
export function sampleOf({ example, type, options }: IftttField): string {
  if (example !== undefined) return example;
  if (options) return Object.keys(options)[0] ?? '';
  if (type === 'address') return '0x5fbdb2315678afecb367f032d93f642f64180aa3';
  return type === 'number' || type === 'integer' ? '1' : 'x';
}

const types: ReadonlySet<string> = new Set(['String', 'Date', 'Date with time', 'Web URL', 'Image URL', 'File URL']);

function typeOf(written: unknown, name: string): IngredientOffer['type'] {
  const type: unknown =
    typeof written === 'object' && written !== null ? (written as Record<string, unknown>)[name] : undefined;
  // The set has exactly the members of the union.
  return typeof type === 'string' && types.has(type) ? (type as IngredientOffer['type']) : 'String';
}

function exampleOf(type: IngredientOffer['type'], name: string): string {
  if (type === 'Date with time') return '2026-01-31T12:00:00Z';
  if (type === 'Date') return '2026-01-31';
  return type === 'String' ? titleOf(name) : `https://example.com/${name}`;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && !value.includes('{{') ? value : otherwise;
}
