import { PatchbayError } from '#sdk';
import type { BatchMessage } from './consumer-messages.js';
import type { StreamBatch, StreamTarget } from './stream.js';

interface ListeningOptions {
  readonly stream: string;
  readonly ackTimeoutMs: number;
  readonly send: (message: BatchMessage) => void;
  /** The client has not answered for too long: somebody else may do better. */
  readonly giveUp: (reason: PatchbayError) => void;
}

interface Answer {
  readonly batch: number;
  readonly id?: string | undefined;
}

interface InFlight {
  readonly number: number;
  readonly id: string;
  readonly accept: () => void;
  readonly refuse: (reason: unknown) => void;
}

const mostSilences = 3;

/** One client as the target of one stream: a batch is delivered when the client says so, under its number. */
export class Listening implements StreamTarget {
  #inFlight: InFlight | undefined;
  /** A batch this client got and did not accept; its late answer may still be on the way. */
  #unanswered: { readonly number: number; readonly id: string } | undefined;
  #silences = 0;
  #attachment: { close(): Promise<void> } | undefined;
  #isClosed = false;

  constructor(private readonly options: ListeningOptions) {}

  async deliver({ number, id, events }: StreamBatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isClosed) throw goneAway();
    const { stream, ackTimeoutMs, send } = this.options;
    try {
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => refuse(signal.reason);
        const timer = setTimeout(() => this.#onSilence(), ackTimeoutMs);
        const release = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          this.#inFlight = undefined;
        };
        const accept = (): void => {
          release();
          resolve();
        };
        const refuse = (reason: unknown): void => {
          release();
          reject(reason);
        };
        signal.addEventListener('abort', onAbort);
        this.#inFlight = { number, id, accept, refuse };
        send({ type: 'batch', stream, batch: number, id, events, answerWithinMs: ackTimeoutMs });
      });
      this.#unanswered = undefined;
    } catch (error) {
      this.#unanswered = { number, id };
      throw error;
    }
  }

  /** @throws request.conflict – this batch is not in flight */
  accept(answer: Answer): void {
    this.#take(answer).accept();
  }

  /** @throws request.conflict – this batch is not in flight */
  refuse(answer: Answer, message: string): void {
    const { number, refuse } = this.#take(answer);
    refuse(new PatchbayError('stream.refused', { detail: `The consumer refused batch ${number}: ${message}` }));
  }

  /** Ties it to what feeds it; `onEnd` is called when that ends by itself. */
  bind(
    attachment: { close(): Promise<void>; readonly finished: Promise<void> },
    onEnd: (reason: PatchbayError) => void,
  ): void {
    this.#attachment = attachment;
    const ended = (reason?: unknown) => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      const detail = `The stream ${this.options.stream} was stopped or changed`;
      onEnd(reason === undefined ? new PatchbayError('request.conflict', { detail }) : PatchbayError.from(reason));
    };
    attachment.finished.then(() => ended(), ended);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const closing = this.#attachment?.close();
    // Usually the signal has ended the delivery by now.
    this.#inFlight?.refuse(goneAway());
    await closing;
  }

  #take({ batch, id }: Answer): InFlight {
    const { stream } = this.options;
    const current = this.#inFlight;
    if (current?.number !== batch || (id !== undefined && id !== current.id)) {
      const now = current === undefined ? 'no batch is' : `batch ${current.number} (${current.id}) is`;
      throw new PatchbayError('request.conflict', { detail: `Batch ${batch} of ${stream} is not in flight; ${now}` });
    }
    const earlier = this.#unanswered;
    if (id === undefined && earlier?.number === batch && earlier.id !== current.id) {
      throw new PatchbayError('request.conflict', {
        detail: `Batch ${batch} of ${stream} came with other events before, and the answer may be meant for those`,
        fix: `Answer with the id of the batch, ${current.id}.`,
      });
    }
    this.#silences = 0;
    return current;
  }

  #onSilence(): void {
    const { ackTimeoutMs, stream, giveUp } = this.options;
    this.#silences += 1;
    const reason = new PatchbayError('stream.refused', {
      detail: `The consumer of ${stream} did not answer within ${ackTimeoutMs} ms`,
    });
    this.#inFlight?.refuse(reason);
    if (this.#silences >= mostSilences) giveUp(reason);
  }
}

function goneAway(): PatchbayError {
  return new PatchbayError('stream.refused', { detail: 'The consumer went away before it answered' });
}
