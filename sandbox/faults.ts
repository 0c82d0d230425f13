/** How a stand-in misbehaves. Without `times` it goes on until it is cleared. */
export interface Fault {
  /** Answered instead of the real answer; the request has no effect. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly delayMs?: number | undefined;
  /** The request takes effect, then the connection is reset: the caller cannot know. */
  readonly resetAfterProcessing?: boolean | undefined;
  /** Only every n-th request. */
  readonly everyNth?: number | undefined;
  /** How often it happens before all is well again. */
  readonly times?: number | undefined;
}

interface Active {
  readonly fault: Fault;
  seen: number;
  happened: number;
}

/** What each stand-in was told to do wrong. */
export class Faults {
  readonly #active = new Map<string, Active>();

  set(standIn: string, fault: Fault): void {
    this.#active.set(standIn, { fault, seen: 0, happened: 0 });
  }

  clear(standIn?: string): void {
    if (standIn === undefined) this.#active.clear();
    else this.#active.delete(standIn);
  }

  list(): Record<string, Fault & { readonly happened: number }> {
    return Object.fromEntries([...this.#active].map(([name, { fault, happened }]) => [name, { ...fault, happened }]));
  }

  /** What goes wrong with the next request, if anything. */
  next(standIn: string): Fault | undefined {
    const active = this.#active.get(standIn);
    if (active === undefined) return undefined;
    active.seen += 1;
    const { everyNth = 1, times = Infinity } = active.fault;
    if (active.seen % everyNth !== 0 || active.happened >= times) return undefined;
    active.happened += 1;
    return active.fault;
  }
}
