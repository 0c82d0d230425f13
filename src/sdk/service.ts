/**
 * Something the hub lends to a connector: durable stores, signers. The owner of the port declares it with
 * {@link defineService}, the application binds an implementation, and a connection asks for it in `open`.
 */
export interface ServiceToken<T> {
  readonly name: string;
  /** Carries the type only; never set. */
  readonly type?: T;
}

export function defineService<T>(name: string): ServiceToken<T> {
  return { name };
}

/** Gives the implementation bound to a token. */
export type UseService = <T>(token: ServiceToken<T>) => T;
