import {
  PatchbayError,
  type ActionDefinition,
  type ConnectionDefinition,
  type HttpClient,
  type Logger,
  type UseService,
} from '#sdk';
import type { ObjectSchema, z } from '#sdk';
// Past the door: these are all of the platform that so many small specs need, and the whole of it takes seconds to load.
import { parseEgress } from '../../src/platform/egress/egress-policy.js';
import { createHttpClient } from '../../src/platform/egress/http-client.js';

export const silentLog: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The real way out, allowed to call this machine, or what is given. */
export function aHttpClient(allow: readonly string[] = ['127.0.0.1']): HttpClient {
  return createHttpClient({ egress: parseEgress(allow) });
}

/** Opens a connection as the hub does: settings checked by the schema, no service bound unless they are given. */
export async function openConnection<Settings extends ObjectSchema, Client>(
  connection: ConnectionDefinition<Settings, Client>,
  settings: Readonly<Record<string, unknown>>,
  http = aHttpClient(),
  use = noService,
): Promise<Client> {
  return connection.open(connection.settings.parse(settings), {
    name: 'under-test',
    http,
    log: silentLog,
    use,
  });
}

export const noService: UseService = (token) => {
  throw new PatchbayError('internal', { detail: `No service ${token.name} in this test` });
};

export interface ActionCall {
  readonly with: Readonly<Record<string, unknown>>;
  /** Absent: the step names no connection. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly idempotencyKey?: string;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
  /** What the hub lends. Default: nothing. */
  readonly use?: UseService;
  /** Default: the real way out. */
  readonly http?: HttpClient;
}

/** Calls an action as a run does, over real HTTP: inputs and output checked by the schemas. */
export async function callAction<
  Input extends ObjectSchema,
  Output extends z.ZodType,
  Settings extends ObjectSchema,
  Client,
>(action: ActionDefinition<Input, Output, Settings, Client>, call: ActionCall): Promise<z.output<Output>> {
  const { http = aHttpClient() } = call;
  const client =
    action.connection === undefined || call.settings === undefined
      ? undefined
      : await openConnection(action.connection, call.settings, http, call.use);
  const output = await action.run({
    input: action.input.parse(call.with),
    // An action whose connection is optional takes undefined; the others are called with settings.
    client: client as Client,
    idempotencyKey: call.idempotencyKey ?? 'run-1:step-1',
    attempt: call.attempt ?? 1,
    signal: call.signal ?? new AbortController().signal,
    http,
    log: silentLog,
    use: call.use ?? noService,
    flow: 'under-test',
    run: 'run-1',
    step: 'step-1',
  });
  return action.output.parse(output);
}
