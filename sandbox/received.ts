export interface Received {
  readonly at: string;
  readonly standIn: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Exactly what came, as text. */
  readonly body: string;
  /** What was answered; 0 when the connection was reset. */
  readonly status: number;
  /** False when a fault kept it from having an effect. */
  readonly processed: boolean;
}

/** The newest requests of all stand-ins, in the order in which they were answered. */
export class ReceivedLog {
  #requests: Received[] = [];

  constructor(private readonly limit = 1_000) {}

  add(request: Received): void {
    this.#requests.push(request);
    // Cut in halves, so that a busy stand-in does not move the whole list for every request.
    if (this.#requests.length > this.limit * 2) this.#requests = this.#requests.slice(-this.limit);
  }

  list(standIn?: string): readonly Received[] {
    const newest = this.#requests.slice(-this.limit);
    return standIn === undefined ? newest : newest.filter((request) => request.standIn === standIn);
  }

  clear(): void {
    this.#requests = [];
  }
}
