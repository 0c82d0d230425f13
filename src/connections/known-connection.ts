import type { StoredConnection } from './connections.store.js';

type Settings = Readonly<Record<string, unknown>>;

export interface KnownConnection {
  readonly name: string;
  readonly connector: string;
  readonly origin: 'file' | 'store';
  readonly isDefault: boolean;
  readonly settings: Settings;
}

export function withChanged(known: KnownConnection, changed: Settings): KnownConnection {
  return { ...known, settings: { ...known.settings, ...changed } };
}

/** What the store holds of a connection: all of it, or what was given beside the file, which cannot be written to. */
export function storedOf({ name, connector, origin, settings }: KnownConnection, given: Settings): StoredConnection {
  return { name, connector, settings: origin === 'file' ? given : settings };
}
