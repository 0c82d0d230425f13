/** A CloudEvent 1.0; `data` is what the source heard. */
export interface StreamEvent {
  readonly specversion: '1.0';
  /** Stable: the same event has the same id whenever and wherever it is delivered. */
  readonly id: string;
  readonly source: string;
  /** e.g. `evm.contractEvent`, `evm.contractEvent.reverted`, `evm.transactionStatus`. */
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a consumer gets at once, and accepts or refuses as a whole. */
export interface StreamBatch {
  /** The same as long as the batch holds the same events. */
  readonly id: string;
  /** Counts up by one for each batch that was accepted by this consumer. */
  readonly number: number;
  readonly stream: string;
  readonly events: readonly StreamEvent[];
}

/** Where batches go. */
export interface StreamTarget {
  /** What is called, without secrets: streams that share it are held back together while it only fails. */
  readonly endpoint?: string;
  /** Says before the first batch what can be told by then: that it is not allowed to call there, that nobody is there. */
  check?(): Promise<void>;
  /**
   * Resolves when the batch is the consumer's.
   *
   * @throws stream.refused, or whatever the way there says, with its code: `never` means that no retry can help;
   * stream.ended when the consumer wants no more events at all
   */
  deliver(batch: StreamBatch, signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}
