/** One ingredient of a trigger or a query, as IFTTT is told of it. */
export interface IngredientOffer {
  readonly slug: string;
  readonly title: string;
  readonly type: 'String' | 'Date' | 'Date with time' | 'Web URL' | 'Image URL' | 'File URL';
  readonly example: string;
}

export interface Choice {
  readonly label: string;
  readonly value: string;
}

/** A choice, or several under one heading. */
export type Option = Choice | { readonly label: string; readonly values: readonly Choice[] };

export interface FieldOffer {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly type: 'text' | 'drop-down' | 'checkboxes' | 'location';
  readonly isRequired: boolean;
  /** The hub lists what can be chosen when IFTTT asks. */
  readonly isDynamic: boolean;
  /** The hub judges what was filled in when IFTTT asks. */
  readonly isValidated: boolean;
  readonly example: string;
}

/** What the hub offers to IFTTT, in the words that its operator types in there. */
export interface Offer {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly fields: readonly FieldOffer[];
  /** Of an action: none. */
  readonly ingredients: readonly IngredientOffer[];
  /** Name of the flow, for what a flow declares. */
  readonly flow?: string;
}

export interface Validity {
  readonly valid: boolean;
  readonly message?: string;
}

/** What was filled in, by slug. */
export type FieldValues = Readonly<Record<string, unknown>>;

/** `whale_alert` as people write it. */
export function titleOf(slug: string): string {
  const words = slug.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The text of a field; empty when it was not filled in. */
export function textOf(fields: FieldValues, slug: string): string {
  const value = fields[slug];
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}
