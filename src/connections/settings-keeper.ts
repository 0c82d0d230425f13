import type { OpenContext } from '#sdk';
import type { ConnectionsStore } from './connections.store.js';
import { storedOf, withChanged, type KnownConnection } from './known-connection.js';

export interface SettingsKeeperParts {
  readonly store: Pick<ConnectionsStore, 'replace'>;
  /** The connection as the client was opened with it, and the version of what the store holds of it. */
  readonly opened: KnownConnection;
  readonly version: string | undefined;
  /** It is kept, over a version. */
  readonly onKept: (kept: KnownConnection, version: string, over: string | undefined) => void;
}

/**
 * Keeps what one client exchanges with the other side, such as a refresh token, one after the other. Once the connection
 * was written by somebody else, here or in another process, nothing is kept: it would undo what is newer.
 */
export function settingsKeeper({ store, opened, version, onKept }: SettingsKeeperParts) {
  let [known, over] = [opened, version];
  let last = Promise.resolve();
  const replace = async (changed: Readonly<Record<string, unknown>>): Promise<void> => {
    const next = withChanged(known, changed);
    const kept = await store.replace(storedOf(next, changed), over);
    if (kept === undefined) return;
    onKept(next, kept, over);
    [known, over] = [next, kept];
  };
  const keep: NonNullable<OpenContext['keep']> = (changed) =>
    (last = last.catch(() => undefined).then(() => replace(changed)));
  return keep;
}
