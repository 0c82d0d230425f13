interface Candidate {
  readonly connector: string;
  readonly origin: 'file' | 'store';
  /** Marked with `default: true`. */
  readonly isDefault: boolean;
}

/**
 * The connection of those that name none: the one that is marked, else the only one, else the only one of the file, so that
 * what is added to a running hub changes no flow.
 */
export function defaultOf<T extends Candidate>(connector: string, known: Iterable<T>): T | undefined {
  const candidates = [...known].filter((one) => one.connector === connector);
  const declared = candidates.filter(({ origin }) => origin === 'file');
  return (
    candidates.find(({ isDefault }) => isDefault) ?? [candidates, declared].find(({ length }) => length === 1)?.[0]
  );
}
