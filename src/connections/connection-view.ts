import type { ConnectionTrouble } from './connection-troubles.js';

export interface ConnectionView {
  readonly name: string;
  readonly connector: string;
  readonly origin: 'file' | 'store';
  readonly isDefault: boolean;
  readonly isOpen: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What the connector knows of the open connection, such as what is left of a quota. */
  readonly status?: Readonly<Record<string, unknown>>;
  /** Why nobody is let in, until somebody has changed that; what needs the connection waits. */
  readonly needsAuthorisation?: ConnectionTrouble;
}

/** What a step or trigger says of the connection it needs. */
export interface UsesConnection {
  readonly connection?: unknown;
  readonly connectionOptional?: boolean;
}
