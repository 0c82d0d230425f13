import { defineService } from './service.js';

/** What a flow shows to those who look at a list from outside, e.g. as the trigger of an Applet. */
export interface PublishedItem {
  /** Of the list it is added to. */
  readonly slug: string;
  /** The same when the same thing is published again; then nothing is added. */
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly ingredients: Readonly<Record<string, string>>;
}

export interface PublishedItems {
  /** When it has returned, the item is kept. */
  publish(item: PublishedItem): Promise<{ readonly isNew: boolean }>;
}

/** The triggers that the hub offers to IFTTT. */
export const iftttItems = defineService<PublishedItems>('ifttt.items');

/** The events that flows offer to Zaps. `inBatch`: several that wait together may go out in one request. */
export interface ZapierItems {
  /** When it has returned, the item is kept for every Zap that listens. */
  publish(item: PublishedItem & { readonly inBatch: boolean }): Promise<{ readonly isNew: boolean }>;
}

export const zapierItems = defineService<ZapierItems>('zapier.items');
