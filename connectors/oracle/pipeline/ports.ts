import type { Value, ValueMap } from './value.js';

/** Where a run reaches out of itself. */
export interface Ports {
  readonly http: HttpPort;
  readonly bridges: BridgePort;
  readonly chain: ChainPort;
  /** From 0 up to 1. */
  random(): number;
  /** Resolves after that time, or rejects when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string | undefined;
  /** Whether it may go where only the operator allows, and not only to public addresses. */
  readonly isUnrestricted: boolean;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpPort {
  /** Every status is an answer, and no redirect is followed. @throws connection.*, target.forbidden */
  call(call: HttpCall): Promise<HttpAnswer>;
}

export interface BridgePort {
  /** Where the bridge of a name is, and what it is always sent. @throws connection.invalid when there is none */
  find(name: string): { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  /**
   * For an adapter that answers later: an address that takes its answer once, and the answer as soon as it is there. The same
   * for the same task of the same run, whatever is done again.
   */
  later(task: string): Promise<{
    readonly responseUrl: string;
    /** Whether the adapter has taken the question in an earlier attempt. */
    readonly isAsked: boolean;
    markAsked(): Promise<void>;
    readonly answer: { readonly value: Value } | { readonly error: string } | undefined;
  }>;
  /** Answers of a while ago, for jobs that put up with them. */
  readonly cache: {
    get(key: string, notOlderThanMs: number): string | undefined;
    set(key: string, text: string): void;
  };
}

/** A call of a contract, or what would become a transaction. Numbers as decimal text. */
export interface ChainCall {
  readonly chainId: string | undefined;
  readonly to: string;
  /** Hexadecimal. */
  readonly data: string;
  readonly from: string | undefined;
  readonly gas: string | undefined;
}

export interface ChainTransaction extends Omit<ChainCall, 'from' | 'gas'> {
  readonly task: string;
  /** Of these one is taken; none: the one of the connection. */
  readonly from: readonly string[];
  readonly gasLimit: string | undefined;
  /** 0: it is not waited for. Undefined: as many as the network usually has. */
  readonly confirmations: number | undefined;
  /** Whether a transaction that was mined and failed is an error. */
  readonly failsOnRevert: boolean;
}

export interface ChainPort {
  /** @throws evm.reverted with the reason */
  call(call: ChainCall & { readonly block: 'latest' | 'pending' }, signal: AbortSignal): Promise<string>;
  /** @throws evm.reverted */
  estimate(call: ChainCall & { readonly block: 'latest' | 'pending' }, signal: AbortSignal): Promise<bigint>;
  /** Sent once, whatever is done again. @throws evm.pending as long as it has not got that far */
  send(transaction: ChainTransaction, signal: AbortSignal): Promise<ValueMap>;
}
