import type { Secret } from './schema.js';

/** What makes the hub a service of IFTTT: the settings of one connection, as its client gives them in `service`. */
export interface IftttServiceSettings {
  /** Shared with IFTTT: its API tab shows it. */
  readonly key: Secret;
  /** Part of the address to which a user is sent back. */
  readonly id: string | undefined;
  /** Where Realtime notifications go; without a trailing slash. */
  readonly realtimeUrl: string;
  /** Absent: the key alone opens the service. */
  readonly oauth: IftttOauthSettings | undefined;
}

export interface IftttOauthSettings {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly redirectUrl: string;
  /** Access tokens then expire; otherwise they never do. */
  readonly isRefreshing: boolean;
}

/** A field that a user of IFTTT fills in. */
export interface IftttField {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly type: 'text' | 'number' | 'integer' | 'address' | 'choice' | 'checkboxes' | 'location';
  readonly required: boolean;
  /** A regular expression that the whole text must match. */
  readonly pattern?: string | undefined;
  /** Values to choose from, with their labels. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  readonly example?: string | undefined;
}

/** The inputs of the trigger that IFTTT starts. */
export interface IftttActionDeclaration {
  readonly action: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly fields: Readonly<Record<string, IftttField>>;
}

/** Offered with every action: a run that was started with the same value is not started again. */
export const iftttDeduplicationField = 'deduplication_key';
