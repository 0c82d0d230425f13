import type { IftttServiceSettings } from '#sdk';
import type { BuiltInTrigger } from './built-in/built-in-trigger.js';
import type { Declarations } from './declarations.js';
import { feedOfSlug } from './identities.store.js';
import type { ItemsStore } from './items.store.js';
import type { FieldOffer, IngredientOffer, Offer } from './offer.js';
import type { Query } from './queries.js';
import type { ServiceAccount } from './service-account.js';

export interface SheetParts {
  readonly account: ServiceAccount;
  readonly declarations: Declarations;
  readonly builtIn: ReadonlyMap<string, BuiltInTrigger>;
  readonly queries: ReadonlyMap<string, Query>;
  readonly items: ItemsStore;
  /** Of the hub, without a trailing slash. */
  readonly publicUrl: string;
}

/** What an operator types where at IFTTT, for the flows as they are now. */
export class SetUpSheet {
  constructor(private readonly parts: SheetParts) {}

  /** Markdown. */
  async write(): Promise<string> {
    const { account, declarations, builtIn, queries } = this.parts;
    const service = await account.find();
    const triggers = [...[...builtIn.values()].map(({ offer }) => offer), ...(await this.#published())];
    const conflicts = declarations
      .conflicts()
      .map(
        ({ flow, slug, takenBy }) =>
          `- The flow \`${flow}\` cannot be reached: the slug \`${slug}\` belongs to ${takenBy}.`,
      );
    return [
      '# Setting up the service at IFTTT',
      'Generated from the flows of this hub; print it again after you change one. A slug that is renamed breaks the Applets that use it.',
      ...(conflicts.length > 0 ? ['## To be corrected first', conflicts.join('\n')] : []),
      '## Service',
      this.#service(service),
      ...section('Triggers', 'triggers', triggers),
      ...section('Actions', 'actions', declarations.actions()),
      ...section(
        'Queries',
        'queries',
        [...queries.values()].map(({ offer }) => offer),
      ),
      '## Test',
      'In the tab _API_ under _Endpoint tests_: **Begin test**. Tests change nothing in the hub: actions are checked and not done.',
    ]
      .join('\n\n')
      .concat('\n');
  }

  /** With what was published last as examples. */
  async #published(): Promise<readonly Offer[]> {
    return Promise.all(
      this.parts.declarations.triggers().map(async (offer) => {
        const [last] = await this.parts.items.newest(feedOfSlug(offer.slug), 1);
        const ingredients = offer.ingredients.map((one) => ({
          ...one,
          example: last?.ingredients[one.slug] || one.example,
        }));
        return { ...offer, ingredients };
      }),
    );
  }

  #service(service: IftttServiceSettings | undefined): string {
    const { publicUrl } = this.parts;
    const isReachable = publicUrl.startsWith('https://');
    const rows: (readonly [string, string])[] = [
      ['API URL prefix', `\`${publicUrl}\``],
      [
        'Service key',
        service
          ? 'is configured; it must be the one of the tab _API_'
          : '**missing**: copy it from the tab _API_ into `serviceKey` of a connection',
      ],
      ['Realtime', 'switch it on; without it IFTTT polls about once an hour'],
      ['Contextual validation', 'both documented paths are served'],
    ];
    if (service?.oauth) {
      rows.push(
        ['Authentication', 'OAuth2'],
        ['Authorization URL', `\`${publicUrl}/ifttt/oauth/authorize\``],
        ['Token URL', `\`${publicUrl}/ifttt/oauth/token\``],
        ['Client id', `\`${service.oauth.clientId}\``],
        ['Client secret', 'is configured'],
        ['Refresh tokens', service.oauth.isRefreshing ? 'yes' : 'no'],
        ['Redirect', `\`${service.oauth.redirectUrl}\``],
      );
    } else {
      rows.push(['Authentication', 'none: my service does not require user authentication']);
    }
    const warning = isReachable
      ? ''
      : '\n\nIFTTT only calls https addresses on the internet: set `PATCHBAY_PUBLIC_URL`.';
    return table(['Setting', 'Value'], rows) + warning;
  }
}

function section(title: string, path: string, offers: readonly Offer[]): string[] {
  if (offers.length === 0) return [`## ${title}`, 'None.'];
  return [`## ${title}`, ...offers.flatMap((offer) => describe(path, offer))];
}

function describe(path: string, { slug, title, description, flow, fields, ingredients }: Offer): string[] {
  return [
    `### ${title}`,
    table(
      ['Setting', 'Value'],
      [
        ['Name', title],
        ['Description', description],
        ['API endpoint slug', `\`${slug}\` (\`/ifttt/v1/${path}/${slug}\`)`],
        ...(flow === undefined ? [] : [['Flow', `\`${flow}\``] as const]),
      ],
    ),
    ...(fields.length > 0
      ? ['Fields:', table(['Label', 'Slug', 'Helper text', 'Type', 'Required', 'Example'], fields.map(fieldRow))]
      : []),
    ...(ingredients.length > 0
      ? ['Ingredients:', table(['Name', 'Slug', 'Type', 'Example'], ingredients.map(ingredientRow))]
      : []),
  ];
}

function fieldRow({ slug, title, description, type, isRequired, isDynamic, isValidated, example }: FieldOffer) {
  const kind = [type, ...(isDynamic ? ['dynamic options'] : []), ...(isValidated ? ['dynamic validation'] : [])];
  return [title, `\`${slug}\``, description, kind.join(', '), isRequired ? 'yes' : 'no', example];
}

function ingredientRow({ slug, title, type, example }: IngredientOffer) {
  return [title, `\`${slug}\``, type, example];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}
