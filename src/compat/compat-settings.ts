import type { Logger } from '#sdk';

/** What the room needs to know of the hub. */
export class CompatSettings {
  /** Where its routes begin, as others reach them. */
  readonly base: string;

  constructor(
    readonly publicUrl: string,
    readonly log: Logger,
  ) {
    this.base = `${publicUrl.replace(/\/+$/, '')}${root}`;
  }
}

export const root = '/compat/ethconnect';
