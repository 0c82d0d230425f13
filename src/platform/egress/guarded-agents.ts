import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';

import { PatchbayError } from '#sdk';

import type { EgressPolicy } from './egress-policy.js';

/** What a socket is opened with; `lookup` is always replaced, whatever a library asked for. */
interface Target {
  host?: string | null | undefined;
  port?: number | string | null | undefined;
  socketPath?: string | null | undefined;
  lookup?: LookupFunction | undefined;
}

type Opened = (error: Error | null, stream: Duplex) => void;

/** Idle sockets are closed before most servers and balancers would, so that a request seldom meets a dying one. */
const agentOptions: AgentOptions = {
  keepAlive: true,
  maxSockets: 256,
  maxFreeSockets: 256,
  scheduling: 'lifo',
  timeout: 55_000,
};

/** Agents that check where a socket goes at the moment it is opened. */
export function createGuardedAgents(egress: EgressPolicy): { http: HttpAgent; https: HttpsAgent } {
  return { http: guarded(new HttpAgent(agentOptions), egress), https: guarded(new HttpsAgent(agentOptions), egress) };
}

function guarded<T extends HttpAgent>(agent: T, egress: EgressPolicy): T {
  const open = agent.createConnection.bind(agent) as (target: Target, done?: Opened) => Duplex | null | undefined;
  const openChecked = (target: Target, done?: Opened): Duplex | null | undefined => {
    const refusal = refusalOf(target, egress);
    if (!refusal) return open({ ...target, lookup: egress.lookupFor(Number(target.port)) }, done);
    // A throw here would escape through `http.request`; sockets report later.
    process.nextTick(() => done?.(refusal, undefined as unknown as Duplex));
    return undefined;
  };
  return Object.assign(agent, { createConnection: openChecked });
}

function refusalOf(target: Target, egress: EgressPolicy): PatchbayError | undefined {
  try {
    if (target.socketPath)
      throw new PatchbayError('target.forbidden', { detail: 'Sockets in the file system may not be called' });
    egress.checkHost(target.host ?? 'localhost', Number(target.port));
    return undefined;
  } catch (error) {
    return PatchbayError.from(error);
  }
}
