import { PatchbayError, type Logger } from '#sdk';
import { parseTopicQuery, topicName, type TopicQuery, type TopicSettings } from './push-topic-query.js';
import type { SalesforceClient, SalesforceRecord } from './salesforce.client.js';

const mark = 'Made by Patchbay for a flow; it is made again when it is missing.';
/** Of a description. */
const longest = 400;
const apiVersion = 62;

/** What a topic tells, as far as it matters for looking up what it did not. */
export interface KnownTopic extends TopicQuery {
  readonly name: string;
  readonly tells: Readonly<Record<'created' | 'updated' | 'deleted' | 'undeleted', boolean>>;
}

/** Makes the topic, or sets it right. One of the same name that the hub did not make is left alone. */
export async function ensureTopic(
  client: SalesforceClient,
  settings: TopicSettings,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<string> {
  const name = topicName(settings);
  const wanted = {
    Query: settings.query,
    IsActive: true,
    NotifyForFields: settings.notifyForFields,
    ...Object.fromEntries(
      (['Create', 'Update', 'Delete', 'Undelete'] as const).map((operation) => [
        `NotifyForOperation${operation}`,
        settings.operations.some((asked) => asked === operation.toLowerCase()),
      ]),
    ),
  };
  const found = await readTopic(client, name, signal);
  if (found === undefined) {
    const fields = { Name: name, ApiVersion: apiVersion, Description: descriptionFor([client.hub]), ...wanted };
    await client.call(
      { method: 'POST', url: '/sobjects/PushTopic', body: fields, action: `Making the push topic ${name}` },
      signal,
    );
    log.info('A push topic was made in Salesforce', { topic: name, query: settings.query });
    return name;
  }
  const hubs = hubsOf(found);
  if (hubs === undefined) {
    throw new PatchbayError('salesforce.configuration', {
      detail: `The org has a push topic ${name} that this hub did not make`,
      fix: 'Rename or delete it in Salesforce, or listen to it by its name with topic:.',
    });
  }
  const right = hubs.includes(client.hub) ? wanted : { ...wanted, Description: descriptionFor([...hubs, client.hub]) };
  if (Object.entries(right).some(([field, value]) => found[field] !== value)) {
    const url = `/sobjects/PushTopic/${String(found['Id'])}`;
    await client.call({ method: 'PATCH', url, body: right, action: `Setting the push topic ${name} right` }, signal);
    log.info('A push topic was set right in Salesforce', { topic: name });
  }
  return name;
}

/** Deletes a topic that this hub made and no longer needs; one that another hub needs as well stays, for that one. */
export async function forgetTopic(
  client: SalesforceClient,
  settings: TopicSettings,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const name = topicName(settings);
  const found = await readTopic(client, name, signal);
  const hubs = found && hubsOf(found);
  if (hubs?.includes(client.hub) !== true) return;
  const others = hubs.filter((hub) => hub !== client.hub);
  const url = `/sobjects/PushTopic/${String(found?.['Id'])}`;
  if (others.length > 0) {
    const body = { Description: descriptionFor(others) };
    await client.call({ method: 'PATCH', url, body, action: `Leaving the push topic ${name} to others` }, signal);
    return;
  }
  await client.call({ method: 'DELETE', url, action: `Deleting the push topic ${name}` }, signal);
  log.info('A push topic that no flow needs any more was deleted in Salesforce', { topic: name });
}

/** The hubs that use a topic; undefined: no hub made it. Those of before this was kept are not named. */
function hubsOf({ Description: description }: SalesforceRecord): string[] | undefined {
  const text = typeof description === 'string' ? description : '';
  if (!text.startsWith(mark)) return undefined;
  return /\(([^)]*)\)$/.exec(text)?.[1]?.split(' ') ?? [];
}

function descriptionFor(hubs: readonly string[]): string {
  const text = `${mark} (${hubs.join(' ')})`;
  // So many hubs on one org are not met; one that is not named is never taken for the last.
  return text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/ \w*$/, '')})`;
}

/** @throws salesforce.configuration – the org has no such topic, or its query cannot be read */
export async function describeTopic(client: SalesforceClient, name: string, signal: AbortSignal): Promise<KnownTopic> {
  const found = await readTopic(client, name, signal);
  const query = parseTopicQuery(String(found?.['Query'] ?? ''));
  if (found === undefined || query === undefined) {
    throw new PatchbayError('salesforce.configuration', {
      detail: `What the push topic ${name} did not tell cannot be looked up: the org shows no query of it`,
      fix: 'Check the name, and that the run-as user may read push topics; or set onExpired to earliest.',
    });
  }
  const tells = (operation: string) => found[`NotifyForOperation${operation}`] !== false;
  return {
    ...query,
    name,
    tells: {
      created: tells('Create'),
      updated: tells('Update'),
      deleted: tells('Delete'),
      undeleted: tells('Undelete'),
    },
  };
}

async function readTopic(
  client: SalesforceClient,
  name: string,
  signal: AbortSignal,
): Promise<SalesforceRecord | undefined> {
  const operations = ['Create', 'Update', 'Delete', 'Undelete'].map((operation) => `NotifyForOperation${operation}`);
  const fields = ['Id', 'Query', 'IsActive', 'Description', 'NotifyForFields', ...operations].join(', ');
  // The schema let nothing into a name that would have to be escaped.
  const { records } = await client.query(`SELECT ${fields} FROM PushTopic WHERE Name = '${name}'`, 1, signal);
  return records[0];
}
