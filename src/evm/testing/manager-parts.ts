import type { SenderLeases, TransactionSignals } from '../transaction-store.js';

/** Words inside one process. */
export function localSignals(): TransactionSignals {
  const listeners = new Map<string, Set<() => void>>();
  const of = (chainId: number, what: string): Set<() => void> => {
    const name = `${String(chainId)} ${what}`;
    const known = listeners.get(name) ?? new Set();
    listeners.set(name, known);
    return known;
  };
  return {
    tell: (chainId, what) => {
      for (const listener of of(chainId, what)) listener();
    },
    on: (chainId, what, listener) => {
      of(chainId, what).add(listener);
      return () => of(chainId, what).delete(listener);
    },
  };
}

/** Rights among the managers of one spec. */
export function localLeases(): SenderLeases {
  const held = new Set<string>();
  return {
    acquire: (name) => {
      if (held.has(name)) return Promise.resolve(undefined);
      held.add(name);
      return Promise.resolve({
        signal: new AbortController().signal,
        release: () => {
          held.delete(name);
          return Promise.resolve();
        },
      });
    },
  };
}
