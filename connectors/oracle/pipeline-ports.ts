import { setTimeout as delay } from 'node:timers/promises';
import { oracleKept, oracleResumptions, PatchbayError, type HttpClient, type UseService } from '#sdk';
import type { OracleClient } from './oracle.client.js';
import { createChainPort } from './pipeline-chain.js';
import type { BridgePort, HttpPort, Ports } from './pipeline/ports.js';
import { fromPlain } from './pipeline/value.js';

export interface PortsOptions {
  readonly client: OracleClient;
  readonly http: HttpClient;
  readonly use: UseService;
  readonly idempotencyKey: string;
  /** Signer of every transaction; undefined: what the task or the connection names. */
  readonly from: string | undefined;
  readonly flow: string;
}

const resumedWithinMs = 24 * 60 * 60_000;

/** The way out of a pipeline, through the connection `oracle` and the guarded HTTP client. */
export function createPorts(options: PortsOptions): Ports {
  return {
    http: httpPort(options.http),
    bridges: bridgePort(options),
    chain: createChainPort(options),
    random: Math.random,
    wait,
  };
}

function httpPort(http: HttpClient): HttpPort {
  return {
    async call({ body, isUnrestricted, ...call }) {
      return await http.request({
        ...call,
        ...(body !== undefined && { body }),
        // Whoever asks on the chain chooses the address: it must not lead to what the operator allows for himself.
        onlyPublic: !isUnrestricted,
        accept: () => true,
      });
    },
  };
}

function bridgePort({ client, use, idempotencyKey }: PortsOptions): BridgePort {
  const adapters = new Map(Object.entries(client.settings.adapters).map(([name, one]) => [name.toLowerCase(), one]));
  return {
    find(name) {
      const adapter = adapters.get(name);
      if (!adapter) {
        throw new PatchbayError('connection.invalid', {
          detail: `The job calls the bridge ${name}, and the connection ${client.name} has no adapter of this name.`,
          fix: `Add adapters: { ${name}: { url: … } } to the connection ${client.name} in patchbay.yaml.`,
        });
      }
      const headers = Object.entries(adapter.headers).map(([header, value]) => [header.toLowerCase(), value.reveal()]);
      return { url: adapter.url, headers: Object.fromEntries(headers) as Record<string, string> };
    },
    async later(task) {
      const key = `${idempotencyKey}:${task}`;
      const opened = await use(oracleResumptions).open(key, resumedWithinMs);
      if (opened.state === 'expired') {
        throw new PatchbayError('oracle.adapter', { detail: `The answer of the task ${task} has not come in a day` });
      }
      const { answer } = opened;
      return {
        responseUrl: opened.url,
        isAsked: (await use(oracleKept).find(`${key}:asked`)) !== undefined,
        markAsked: () => use(oracleKept).keep(`${key}:asked`, 'yes'),
        answer: answer && ('value' in answer ? { value: fromPlain(answer.value) } : answer),
      };
    },
    cache: cacheOf(client),
  };
}

const mostCached = 1_000;
const caches = new WeakMap<OracleClient, BridgePort['cache']>();

/** Of one process, as long as the connection is open: it only bridges outages of an adapter. */
function cacheOf(client: OracleClient): BridgePort['cache'] {
  let cache = caches.get(client);
  if (!cache) {
    cache = createCache();
    caches.set(client, cache);
  }
  return cache;
}

function createCache(): BridgePort['cache'] {
  const entries = new Map<string, { readonly text: string; readonly atMs: number }>();
  return {
    get(key, notOlderThanMs) {
      const entry = entries.get(key);
      return entry !== undefined && Date.now() - entry.atMs <= notOlderThanMs ? entry.text : undefined;
    },
    set(key, text) {
      const [oldest] = entries.keys();
      if (entries.size >= mostCached && oldest !== undefined) entries.delete(oldest);
      entries.delete(key);
      entries.set(key, { text, atMs: Date.now() });
    },
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {
    throw PatchbayError.from(signal.reason);
  });
}
