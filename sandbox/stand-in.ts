/** One request as a stand-in sees it. */
export interface Exchange {
  readonly method: string;
  /** Below the prefix of the stand-in; begins with a slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Buffer;
  /** Parsed when it is JSON, text otherwise. */
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  /** The connection is reset instead: the caller cannot know what came of it. */
  readonly isReset?: boolean;
}

/** Plays one outside system under the prefix `/<name>`. */
export interface StandIn {
  readonly name: string;
  reply(exchange: Exchange): Reply | Promise<Reply>;
}
