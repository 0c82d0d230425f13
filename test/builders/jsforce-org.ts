import { Connection, OAuth2 } from 'jsforce';
import { StreamingExtension } from 'jsforce/lib/api/streaming.js';
import {
  createSalesforceStandIn,
  sandboxApp,
  type SalesforceStandIn,
  type SalesforceStandInOptions,
} from '../../sandbox/salesforce/index.js';

/** The stand-in of Salesforce on a port of its own, as jsforce meets it. */
export interface JsforceOrg {
  readonly standIn: SalesforceStandIn;
  readonly url: string;
  connect(options?: { readonly client?: string; readonly version?: string }): Promise<Connection>;
  /** Listens to a channel with the streaming client of jsforce; what is heard is added to the list. */
  hear(connection: Connection, channel: string, replayId?: number): Promise<Heard>;
  stop(): Promise<void>;
}

export interface Heard {
  readonly messages: readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[];
}

interface Hangable {
  disconnect(): PromiseLike<void>;
  disable(feature: string): void;
  subscribe(channel: string, listener: (message: Heard['messages'][number]) => void): PromiseLike<void>;
}

export async function startJsforceOrg(options: SalesforceStandInOptions = {}): Promise<JsforceOrg> {
  const standIn = createSalesforceStandIn({ longPollMs: 300, bulkDelayMs: 5, ...options });
  const { url } = await standIn.listen();
  const clients: Hangable[] = [];
  return {
    standIn,
    url,
    async connect({ client, version = '62.0' } = {}) {
      const { clientId, clientSecret = '' } = options.apps?.[0] ?? sandboxApp;
      const connection = new Connection({
        loginUrl: url,
        version,
        oauth2: new OAuth2({ loginUrl: url, clientId, clientSecret }),
        ...(client !== undefined && { callOptions: { client } }),
      });
      await connection.authorize({ grant_type: 'client_credentials' });
      return connection;
    },
    async hear(connection, channel, replayId) {
      const messages: Heard['messages'][number][] = [];
      const extensions = replayId === undefined ? [] : [new StreamingExtension.Replay(channel, replayId)];
      // The types of jsforce leave out the methods that end a client; one that is not ended polls on for ever.
      const client = connection.streaming.createClient(extensions) as unknown as Hangable;
      client.disable('websocket');
      clients.push(client);
      await client
        .subscribe(channel, (message) => messages.push(message))
        .then(undefined, ({ code, message }: { readonly code: number; readonly message: string }) => {
          // What the client of jsforce rejects with is no Error.
          throw new Error(`${code}::${message}`);
        });
      return { messages };
    },
    async stop() {
      await Promise.all(clients.map((client) => client.disconnect()));
      await standIn.close();
    },
  };
}
