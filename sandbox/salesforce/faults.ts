/** Which requests a fault meets. */
export type FaultArea = 'rest' | 'token' | 'cometd';

interface Counted {
  /** How many requests it meets; default 1. */
  readonly times?: number;
  /** Only requests with this HTTP method. */
  readonly method?: string;
  /** Default `rest`. */
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
  /** The request is carried out, then the connection is cut; on `cometd`: the next answer that carries events is lost. */
  | (Counted & { readonly kind: 'loseAnswer' })
  | (Counted & { readonly kind: 'quota'; readonly scope?: 'TotalRequests' | 'ConcurrentRequests' })
  | (Counted & { readonly kind: 'lockRow' })
  | (Counted & { readonly kind: 'refuseLogin'; readonly error?: string; readonly description?: string })
  /** Polls of streaming clients are swallowed: neither answered nor ended. */
  | (Counted & { readonly kind: 'silentStream' })
  | { readonly kind: 'expireSessions' }
  | { readonly kind: 'expireReplay' }
  | { readonly kind: 'dropStreams'; readonly advice: 'none' | 'handshake' | 'disconnect' }
  /** The org moves: new logins are sent to this address and the old one no longer knows any session. */
  | { readonly kind: 'moveInstance'; readonly url: string }
  | { readonly kind: 'clear' };

export type CountedFault = Extract<Fault, Counted>;
export type ImmediateFault = Exclude<Fault, CountedFault | { kind: 'clear' }>;

const defaultAreas: Partial<Record<CountedFault['kind'], FaultArea>> = { refuseLogin: 'token', silentStream: 'cometd' };
const immediateKinds = ['expireSessions', 'expireReplay', 'dropStreams', 'moveInstance'];
const countedKinds = ['status', 'delay', 'loseAnswer', 'quota', 'lockRow', 'refuseLogin', 'silentStream'];

export class Faults {
  #waiting: { readonly fault: CountedFault; left: number }[] = [];
  readonly #apply: (fault: ImmediateFault) => void;

  constructor(apply: (fault: ImmediateFault) => void) {
    this.#apply = apply;
  }

  add(fault: Fault): void {
    if (fault.kind === 'clear') this.#waiting = [];
    else if (isImmediate(fault)) this.#apply(fault);
    else this.#waiting.push({ fault, left: fault.times ?? 1 });
  }

  /** The waiting fault of a kind that meets a request, used up by one. */
  take<Kind extends CountedFault['kind']>(
    kind: Kind,
    area: FaultArea,
    method: string,
  ): Extract<CountedFault, { kind: Kind }> | undefined {
    const entry = this.#waiting.find(
      ({ fault }) =>
        fault.kind === kind &&
        (fault.on ?? defaultAreas[kind] ?? 'rest') === area &&
        (fault.method === undefined || fault.method === method),
    );
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== entry);
    // `find` compared the kind.
    return entry.fault as Extract<CountedFault, { kind: Kind }>;
  }

  list(): readonly Fault[] {
    return this.#waiting.map(({ fault, left }) => ({ ...fault, times: left }));
  }
}

/** Reads a fault sent over HTTP; undefined when its kind is not known. */
export function parseFault(body: unknown): Fault | undefined {
  if (typeof body !== 'object' || body === null || !('kind' in body)) return undefined;
  const kind = String(body.kind);
  if (kind !== 'clear' && !immediateKinds.includes(kind) && !countedKinds.includes(kind)) return undefined;
  // The kind was checked; a missing detail shows as a fault without effect, which is enough for a control route of a sandbox.
  return body as Fault;
}

function isImmediate(fault: CountedFault | ImmediateFault): fault is ImmediateFault {
  return immediateKinds.includes(fault.kind);
}
