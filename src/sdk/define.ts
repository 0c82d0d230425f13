import type { z } from 'zod';
import type { ErrorCode } from './error-codes.js';
import type { Fault } from './error.js';
import type { HttpClient } from './http.js';
import type { Logger } from './log.js';
import type { UseService } from './service.js';
import type { TriggerFinality } from './trigger-finality.js';

/** Inputs are object schemas, so that they have names in YAML, in forms and in the docs. */
export type ObjectSchema = z.ZodObject;

// ---------------------------------------------------------------- connection

export interface OpenContext {
  /** Name of the connection, as in `connection:` of a flow. */
  readonly name: string;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly use: UseService;
  /** Tells this hub from others that use the same account. */
  readonly hub?: string;
  /** Keeps settings that the other side changed, such as an exchanged refresh token, sealed, for this connection. */
  readonly keep?: (settings: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** How somebody lets the hub in with a browser: OAuth with a code and PKCE. */
export interface AuthorisationDefinition<Settings> {
  /** Names of the settings that it gives. */
  readonly gives: readonly string[];
  /** Where the browser is sent. @throws connection.invalid when the settings name another way in */
  address(settings: Settings, request: AuthorisationRequest): string;
  /** The settings that the other side gives for a code. */
  redeem(settings: Settings, grant: AuthorisationGrant, http: HttpClient): Promise<Readonly<Record<string, unknown>>>;
}

export interface AuthorisationRequest {
  readonly redirectUri: string;
  readonly state: string;
  /** SHA-256 of the verifier, base64url. */
  readonly challenge: string;
}

export interface AuthorisationGrant {
  readonly code: string;
  readonly redirectUri: string;
  readonly verifier: string;
}

/** A kind of thing on the other side, such as an object of an org, for whoever sets a flow up. */
export interface RemoteObject {
  readonly name: string;
  readonly label: string;
}

export interface RemoteField {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  /** Of a text, in characters. */
  readonly length?: number;
  readonly isWritable: boolean;
  /** It must have a value when a record is made. */
  readonly isRequired: boolean;
  /** A record can be found by it. */
  readonly isKey: boolean;
}

export interface RemoteObjectDetail extends RemoteObject {
  readonly fields: readonly RemoteField[];
  /** The record that was changed last, if there is one. */
  readonly sample: Readonly<Record<string, unknown>> | undefined;
}

/** What there is on the other side to choose from. */
export interface BrowsableObjects<Client> {
  list(client: Client, signal: AbortSignal): Promise<readonly RemoteObject[]>;
  describe(client: Client, name: string, signal: AbortSignal): Promise<RemoteObjectDetail>;
}

/** One configured account or network: what a user fills in, and how that becomes a client. */
export interface ConnectionDefinition<Settings extends ObjectSchema = ObjectSchema, Client = unknown> {
  readonly title: string;
  readonly summary?: string;
  readonly settings: Settings;
  open(settings: z.output<Settings>, context: OpenContext): Promise<Client> | Client;
  close?(client: Client): Promise<void> | void;
  /** Whether the hub has what the settings name, as somebody types them; the other side is not asked. */
  check?(context: Pick<CheckContext, 'input' | 'use'>): Promise<readonly Fault[]>;
  /** Proves that the settings work, without changing anything on the other side. */
  test?(client: Client, signal: AbortSignal): Promise<void>;
  /** What is worth knowing of an open one, such as what is left of a quota; asked without calling the other side. */
  status?(client: Client): Readonly<Record<string, unknown>>;
  /**
   * Whether the other side refuses the credentials of an open one, whatever is asked: what needs it then waits until somebody
   * has changed them.
   */
  needsAuthorisation?(client: Client): boolean;
  readonly authorisation?: AuthorisationDefinition<z.output<Settings>>;
  readonly objects?: BrowsableObjects<Client>;
}

/** Looks at the inputs of a flow when it is typed or loaded, before there is an event. */
export interface CheckContext<Client = unknown> {
  /** As written: not parsed, defaults not filled in; what a template will give is `undefined`. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly client: Client;
  readonly use: UseService;
  /** Raised when nobody waits any longer. */
  readonly signal: AbortSignal;
}

// ---------------------------------------------------------------- trigger

/** Why nothing may be done about something that was heard. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fix?: string;
}

/** One thing that was heard. */
export interface Heard<Event = unknown> {
  /** The same when the same thing is heard again; the event's key. */
  readonly id: string;
  readonly event: Event;
  /** RFC 3339; when it happened, by the source's own clock. Default: when it was heard. */
  readonly time?: string;
  /** What it is about, e.g. an address or a record id (CloudEvents `subject`). */
  readonly subject?: string;
  /** Where it was heard, as text that sorts in the order of the source, e.g. block and log index. */
  readonly position?: string;
  /** What a reorganisation would remove, e.g. a block hash. */
  readonly place?: string;
  /**
   * Nothing may be done about it: each of its flows gets a dead letter with this reason, whatever its `where` says, and
   * executes it only when a person retries or replays that one. It holds nothing up.
   */
  readonly refused?: Refusal;
}

export interface EmitOptions {
  /** The trigger's place after these events, when the id of the last one will not do. Sorts as text where `retract` is used. */
  readonly cursor?: string;
}

export interface Retraction {
  /** Everything heard at a position greater than or equal to this one is withdrawn, unless it is heard again. */
  readonly from: string;
  /** Once the cursor is at or past this place, what was not heard again is gone for good and `onReverted` is executed. */
  readonly finalAt: string;
  /** The trigger's place after the withdrawal. */
  readonly cursor: string;
}

/** Something was missed, and this is what came of looking for it. */
export interface Incident {
  /** In a sentence. */
  readonly reason: string;
  /** RFC 3339; from when on it was looked for. */
  readonly since: string;
  /** What is there since then, and how much of it had not been heard. */
  readonly found: number;
  readonly emitted: number;
}

export interface ListenContext<Input, Client, Event> {
  readonly input: Input;
  readonly client: Client;
  /** Where the trigger left off; undefined at its very first start. */
  readonly cursor: string | undefined;
  readonly signal: AbortSignal;
  /** Those who hear it move value, and nothing says how long to wait; see {@link TriggerFinality}. */
  readonly movesValue?: boolean;
  readonly log: Logger;
  readonly use: UseService;
  /** When it has returned, the events and the cursor are kept. An empty list moves the cursor only. */
  emit(heard: Heard<Event> | readonly Heard<Event>[], options?: EmitOptions): Promise<void>;
  retract(retraction: Retraction): Promise<void>;
  /** What this trigger emitted last about each subject, since a time; only what a flow took is remembered. */
  recall(subjects: readonly string[], since: Date): Promise<ReadonlyMap<string, Heard<Event>>>;
  /** Tells whoever looks after the hub; kept beside the trigger. */
  report(incident: Incident): Promise<void>;
}

export interface PollContext<Input, Client> {
  readonly input: Input;
  readonly client: Client;
  readonly cursor: string | undefined;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly use: UseService;
}

export interface PollResult<Event> {
  readonly heard: readonly Heard<Event>[];
  readonly cursor?: string;
  /** There is more already: ask again at once. */
  readonly more?: boolean;
}

export interface HookRequest {
  readonly method: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Exactly the bytes received: signatures are checked over these. */
  readonly rawBody: Buffer;
  /** The parsed body: JSON or form; text otherwise. */
  readonly body: unknown;
  /** Whether the caller came with an API key that may send events. */
  readonly isAuthenticated: boolean;
}

export interface ReceiveContext<Input, Client> {
  readonly input: Input;
  readonly client: Client;
  readonly request: HookRequest;
  readonly log: Logger;
}

export interface BackfillContext<Input, Client, Event> extends Omit<
  ListenContext<Input, Client, Event>,
  'retract' | 'recall' | 'report'
> {
  /** First and last place to read, in the trigger's own terms, e.g. block numbers. `to` undefined: up to now. */
  readonly from: string;
  readonly to: string | undefined;
  progress(done: number, total: number): void;
}

export interface ForgetContext<Input, Client> {
  readonly input: Input;
  /** Inputs of the same trigger and connection that are still listened to. */
  readonly others: readonly Input[];
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly use: UseService;
}

export interface Schedule {
  /** Five or six fields. */
  readonly cron: string;
  /** IANA name. */
  readonly timezone: string;
}

interface TriggerCommon<Input extends ObjectSchema, Event extends z.ZodType> {
  readonly title: string;
  readonly summary: string;
  readonly input: Input;
  readonly event: Event;
  /** Inputs that work, for the docs and the conformance suite. */
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Exactly one of `listen` (it holds a stream), `poll` (it is asked now and then), `receive` (it is called by webhook)
 * and `schedule` (it fires by the clock).
 */
export interface TriggerDefinition<
  Input extends ObjectSchema = ObjectSchema,
  Event extends z.ZodType = z.ZodType,
  Settings extends ObjectSchema = ObjectSchema,
  Client = unknown,
> extends TriggerCommon<Input, Event> {
  /** Absent: the trigger needs no connection. */
  readonly connection?: ConnectionDefinition<Settings, Client>;
  /** Faults that only the other side knows of; pointers begin at the inputs. Changes nothing there, and may be called often. */
  check?(context: CheckContext<Client>): Promise<readonly Fault[]>;
  /** The connection may be left out in the flow; `client` is then undefined. Only for `receive`. */
  readonly connectionOptional?: boolean;
  listen?(context: ListenContext<z.output<Input>, Client, z.output<Event>>): Promise<void>;
  poll?(context: PollContext<z.output<Input>, Client>): Promise<PollResult<z.output<Event>>>;
  /** Between two polls, in milliseconds. */
  readonly pollEveryMs?: number;
  receive?(context: ReceiveContext<z.output<Input>, Client>): Promise<readonly Heard<z.output<Event>>[]>;
  schedule?(input: z.output<Input>): Schedule;
  /** Absent: what it hears cannot be taken back. */
  readonly finality?: TriggerFinality<Client>;
  /** No flow listens there any more: takes back what `listen` made on the other side, unless somebody else needs it. */
  forget?(context: ForgetContext<z.output<Input>, Client>): Promise<void>;
  /** Reads what happened in the past; goes with `listen`. */
  backfill?(context: BackfillContext<z.output<Input>, Client, z.output<Event>>): Promise<void>;
}

// ---------------------------------------------------------------- action

export interface ActionContext<Input, Client> {
  readonly input: Input;
  readonly client: Client;
  /** The same on every attempt of this step of this run; pass it on where the other side takes one. */
  readonly idempotencyKey: string;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly use: UseService;
  readonly flow: string;
  readonly run: string;
  readonly step: string;
}

export interface ActionDefinition<
  Input extends ObjectSchema = ObjectSchema,
  Output extends z.ZodType = z.ZodType,
  Settings extends ObjectSchema = ObjectSchema,
  Client = unknown,
> {
  readonly title: string;
  readonly summary: string;
  readonly connection?: ConnectionDefinition<Settings, Client>;
  /** The connection may be left out in the flow; `client` is then undefined. */
  readonly connectionOptional?: boolean;
  readonly input: Input;
  readonly output: Output;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
  /** What a user may rely on when the action is done again; shown on its page. */
  readonly repeatable: string;
  /** Faults that only the other side knows of; pointers begin at the inputs. Changes nothing there, and may be called often. */
  check?(context: CheckContext<Client>): Promise<readonly Fault[]>;
  /**
   * It sends value or writes to a chain; of some the inputs tell, as written. A flow with such a step that hears a chain
   * waits until what it hears is final, unless something says otherwise.
   */
  readonly movesValue?: boolean | ((input: Readonly<Record<string, unknown>>) => boolean);
  /** Goes with `movesValue`: a chain on which the event is gone refuses what is sent, so that nobody has to wait for it. */
  readonly isReply?: boolean;
  /**
   * It asks and changes nothing outside and is over at once, so that what the steps before it did is not written down
   * before it but with it.
   */
  readonly isPure?: boolean;
  run(context: ActionContext<z.output<Input>, Client>): Promise<z.output<Output>> | z.output<Output>;
}

// ---------------------------------------------------------------- connector

export interface ConnectorDefinition {
  /** One lower-case word; the first half of every name in `uses:`. */
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly connection?: AnyConnection;
  /** Section of `patchbay.yaml` that lists connections of this connector directly, e.g. `networks`. */
  readonly section?: string;
  readonly triggers: Readonly<Record<string, AnyTrigger>>;
  readonly actions: Readonly<Record<string, AnyAction>>;
}

// Definitions are invariant in their type parameters (a client is both produced and consumed), so a list of
// different ones needs `any`; the hub only hands a definition what that definition itself produced. What every
// definition has in common, its schemas, keeps its type.
/* eslint-disable @typescript-eslint/no-explicit-any */
export interface AnyConnection extends Omit<ConnectionDefinition<any, any>, 'settings'> {
  readonly settings: ObjectSchema;
}
export interface AnyTrigger extends Omit<TriggerDefinition<any, any, any, any>, 'input' | 'event' | 'connection'> {
  readonly input: ObjectSchema;
  readonly event: z.ZodType;
  readonly connection?: AnyConnection;
}
export interface AnyAction extends Omit<ActionDefinition<any, any, any, any>, 'input' | 'output' | 'connection'> {
  readonly input: ObjectSchema;
  readonly output: z.ZodType;
  readonly connection?: AnyConnection;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

export function defineConnection<Settings extends ObjectSchema, Client>(
  definition: ConnectionDefinition<Settings, Client>,
): ConnectionDefinition<Settings, Client> {
  return definition;
}

export function defineTrigger<
  Input extends ObjectSchema,
  Event extends z.ZodType,
  Settings extends ObjectSchema = ObjectSchema,
  Client = undefined,
>(definition: TriggerDefinition<Input, Event, Settings, Client>): TriggerDefinition<Input, Event, Settings, Client> {
  return definition;
}

export function defineAction<
  Input extends ObjectSchema,
  Output extends z.ZodType,
  Settings extends ObjectSchema = ObjectSchema,
  Client = undefined,
>(definition: ActionDefinition<Input, Output, Settings, Client>): ActionDefinition<Input, Output, Settings, Client> {
  return definition;
}

export function defineConnector(definition: ConnectorDefinition): ConnectorDefinition {
  return definition;
}
