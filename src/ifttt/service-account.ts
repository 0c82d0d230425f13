import { createHash, timingSafeEqual } from 'node:crypto';
import type { ConnectionsService } from '#connections';
import { PatchbayError, type IftttServiceSettings, type Secret } from '#sdk';

/** Finds the connection that makes the hub a service of IFTTT, and knows its key. */
export class ServiceAccount {
  constructor(private readonly connections: ConnectionsService) {}

  /** Of several connections the default one, else the first. */
  async find(): Promise<IftttServiceSettings | undefined> {
    const candidates = this.connections
      .list()
      .filter(({ connector, settings }) => connector === 'ifttt' && 'serviceKey' in settings);
    const chosen = candidates.find(({ isDefault }) => isDefault) ?? candidates[0];
    if (chosen === undefined) return undefined;
    const client = await this.connections.client(chosen.name);
    return hasService(client) ? client.service : undefined;
  }

  /** @throws ifttt.notConfigured */
  async get(): Promise<IftttServiceSettings> {
    const service = await this.find();
    if (service !== undefined) return service;
    throw new PatchbayError('ifttt.notConfigured', {
      detail: 'This hub is no service of IFTTT',
      fix: 'Give a connection of the connector ifttt a serviceKey.',
    });
  }
}

/** The client of a connection to IFTTT gives its settings as {@link IftttServiceSettings} says. */
function hasService(client: unknown): client is { readonly service: IftttServiceSettings | undefined } {
  return typeof client === 'object' && client !== null && 'service' in client;
}

/** The present name of the header and the old one, which IFTTT still sends. */
const keyHeaders = ['ifttt-service-key', 'ifttt-channel-key'] as const;

/** Whether a key was given, and every one that was given is the right one. */
export function hasServiceKey(headers: Readonly<Record<string, string>>, key: Secret): boolean {
  const given = givenKeys(headers);
  return given.length > 0 && given.every((one) => isSame(one, key.reveal()));
}

/** Whether a key was given that is not the right one. */
export function hasWrongKey(headers: Readonly<Record<string, string>>, key: Secret): boolean {
  return givenKeys(headers).length > 0 && !hasServiceKey(headers, key);
}

function givenKeys(headers: Readonly<Record<string, string>>): string[] {
  return keyHeaders.flatMap((name) => headers[name] ?? []);
}

/** In a time that tells nothing of either, not even a length. */
export function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
