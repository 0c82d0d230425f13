import type { Purge } from './event-bus.js';

/** Which requests a fault meets; `bus` is what the org tells its subscribers, `bulk` the work on a job. */
export type FaultArea = 'rest' | 'token' | 'cometd' | 'bus' | 'bulk';

interface Counted {
  /** How many requests it meets; default 1. */
  readonly times?: number;
  /** Only every n-th of the requests it is for. */
  readonly everyNth?: number;
  /** Only requests with this HTTP method. */
  readonly method?: string;
  /** Only requests whose path and query hold this text. */
  readonly path?: string;
  /** Default `rest`, except for kinds that only happen elsewhere. */
  readonly on?: FaultArea;
}

/** What the stand-in can be told to do wrong. The first group waits for the next requests, the second happens at once. */
export type Fault =
  | (Counted & {
      readonly kind: 'status';
      readonly status: number;
      /** Default: a validation rule that says no, or from 500 on the server that is not there. */
      readonly errorCode?: string;
      readonly message?: string;
      /** Sent as HTML instead of an error list. */
      readonly html?: string;
    })
  | (Counted & { readonly kind: 'delay'; readonly ms: number })
  /** The request is carried out at once and answered late: what it changed is heard on the bus before the answer. */
  | (Counted & { readonly kind: 'delayAnswer'; readonly ms: number })
  /** The request is carried out, then the connection is cut; on `cometd`: the next answer that carries events is lost. */
  | (Counted & { readonly kind: 'loseAnswer' })
  | (Counted & { readonly kind: 'quota'; readonly scope?: 'TotalRequests' | 'ConcurrentRequests' })
  | (Counted & { readonly kind: 'lockRow' })
  | (Counted & { readonly kind: 'refuseLogin'; readonly error?: string; readonly description?: string })
  /** Polls of streaming clients are swallowed: neither answered nor ended. */
  | (Counted & { readonly kind: 'silentStream' })
  /** A message of a streaming client is refused with this error; on the handshake it is the reason in `ext.sfdc`. */
  | (Counted & {
      readonly kind: 'refuseStream';
      readonly meta: 'handshake' | 'connect' | 'subscribe';
      readonly error: string;
      readonly advice?: 'none' | 'retry' | 'handshake';
      readonly channel?: string;
    })
  /** The next change events of an object are gap events: a header and nothing else. */
  | (Counted & { readonly kind: 'gap'; readonly object?: string; readonly wildcard?: boolean })
  /** The next transaction is one with more than 100,000 changes. */
  | (Counted & { readonly kind: 'overflow' })
  /** The next bulk jobs take this long. */
  | (Counted & { readonly kind: 'slowJob'; readonly ms: number })
  /** The next bulk jobs end as failed, with none or the first part of their rows done. */
  | (Counted & { readonly kind: 'failJob'; readonly message?: string; readonly afterRows?: number })
  | { readonly kind: 'expireSessions' }
  /** Somebody takes back what was allowed: sessions end, and refresh tokens are worth nothing any more. */
  | { readonly kind: 'revokeTokens' }
  /** Sessions end by themselves: after so many milliseconds, or after so many calls. */
  | { readonly kind: 'sessionPolicy'; readonly lifetimeMs?: number; readonly calls?: number }
  /** Events are forgotten: all, those of a channel, or the older part of them. */
  | (Purge & { readonly kind: 'expireReplay' })
  | { readonly kind: 'dropStreams'; readonly advice: 'none' | 'handshake' | 'disconnect' }
  /** The event deliveries of the day are used up, or there are some again. */
  | { readonly kind: 'stopDeliveries'; readonly stopped?: boolean }
  /** So many calls were made today; from the limit on, all are refused. */
  | { readonly kind: 'apiUsage'; readonly used?: number; readonly limit?: number }
  /** The org moves: new logins are sent to this address and the old one no longer knows any session. */
  | { readonly kind: 'moveInstance'; readonly url: string }
  | { readonly kind: 'clear' };

export type CountedFault = Extract<Fault, Counted & { readonly kind: CountedKind }>;
export type ImmediateFault = Exclude<Fault, { kind: CountedKind | 'clear' }>;
type CountedKind = (typeof countedKinds)[number];

const countedKinds = [
  'status',
  'delay',
  'delayAnswer',
  'loseAnswer',
  'quota',
  'lockRow',
  'refuseLogin',
  'silentStream',
  'refuseStream',
  'gap',
  'overflow',
  'slowJob',
  'failJob',
] as const;
const immediateKinds = [
  'expireSessions',
  'revokeTokens',
  'sessionPolicy',
  'expireReplay',
  'dropStreams',
  'stopDeliveries',
  'apiUsage',
  'moveInstance',
];
const defaultAreas: Partial<Record<CountedKind, FaultArea>> = {
  refuseLogin: 'token',
  silentStream: 'cometd',
  refuseStream: 'cometd',
  gap: 'bus',
  overflow: 'bus',
  slowJob: 'bulk',
  failJob: 'bulk',
};

interface Waiting {
  readonly fault: CountedFault;
  left: number;
  seen: number;
}

export class Faults {
  #waiting: Waiting[] = [];
  readonly #apply: (fault: ImmediateFault) => void;

  constructor(apply: (fault: ImmediateFault) => void) {
    this.#apply = apply;
  }

  add(fault: Fault): void {
    if (fault.kind === 'clear') this.#waiting = [];
    else if (isImmediate(fault)) this.#apply(fault);
    else this.#waiting.push({ fault, left: fault.times ?? 1, seen: 0 });
  }

  /**
   * The waiting fault of a kind that meets a request, used up by one.
   * @param subject – path and query of a request, the object of a change, or the message of a streaming client
   */
  take<Kind extends CountedKind>(
    kind: Kind,
    area: FaultArea,
    method: string,
    subject = '',
  ): Extract<CountedFault, { kind: Kind }> | undefined {
    for (const entry of this.#waiting) {
      if (!isFor(entry.fault, kind, area, method, subject)) continue;
      entry.seen += 1;
      if (entry.seen % (entry.fault.everyNth ?? 1) !== 0) continue;
      entry.left -= 1;
      if (entry.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== entry);
      // `isFor` compared the kind.
      return entry.fault as Extract<CountedFault, { kind: Kind }>;
    }
    return undefined;
  }

  list(): readonly Fault[] {
    return this.#waiting.map(({ fault, left }) => ({ ...fault, times: left }));
  }
}

/** Reads a fault sent over HTTP; undefined when its kind is not known. */
export function parseFault(body: unknown): Fault | undefined {
  if (typeof body !== 'object' || body === null || !('kind' in body)) return undefined;
  const kind = String(body.kind);
  if (kind !== 'clear' && ![...immediateKinds, ...countedKinds].includes(kind)) return undefined;
  // The kind was checked; a missing detail shows as a fault without effect, which is enough for a control route of a sandbox.
  return body as Fault;
}

function isFor(fault: CountedFault, kind: CountedKind, area: FaultArea, method: string, subject: string): boolean {
  if (fault.kind !== kind || (fault.on ?? defaultAreas[kind] ?? 'rest') !== area) return false;
  if (fault.method !== undefined && fault.method !== method) return false;
  if (fault.path !== undefined && !subject.includes(fault.path)) return false;
  if (fault.kind === 'gap') return fault.object === undefined || fault.object === subject;
  if (fault.kind !== 'refuseStream') return true;
  const [meta, channel] = subject.split(' ');
  return fault.meta === meta && (fault.channel === undefined || fault.channel === channel);
}

function isImmediate(fault: CountedFault | ImmediateFault): fault is ImmediateFault {
  return immediateKinds.includes(fault.kind);
}
