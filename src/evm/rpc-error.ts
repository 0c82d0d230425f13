import { PatchbayError, type ErrorCode, type PatchbayErrorOptions } from '#sdk';

/**
 * `rangeTooLarge`: the node refuses to search that many blocks or to return that many logs. `throttled`: it wants to be
 * left alone. `transport`: no usable answer, so whatever was asked may or may not have happened. `rejected`: the node
 * understood and said no.
 */
export type RpcErrorKind = 'rangeTooLarge' | 'throttled' | 'transport' | 'wrongChain' | 'rejected';

/** What went wrong with one call to a node, with the parts of its answer that callers decide by. */
export class RpcError extends PatchbayError {
  readonly kind: RpcErrorKind;
  /** Code of the JSON-RPC error. */
  readonly rpcCode: number | undefined;
  /** `data` of the JSON-RPC error, e.g. the revert data. */
  readonly data: unknown;
  /** The node's own words, without the address of the node. */
  readonly rpcMessage: string;
  /** The node itself has said how long it wants to be left alone. */
  readonly isRetryAfterGiven: boolean;

  constructor(kind: RpcErrorKind, rpcMessage: string, options: RpcErrorOptions = {}) {
    super(codeOf[kind], { detail: rpcMessage, ...options });
    this.kind = kind;
    this.rpcMessage = rpcMessage;
    this.rpcCode = options.rpcCode;
    this.data = options.data;
    this.isRetryAfterGiven = options.isRetryAfterGiven ?? false;
  }
}

export interface RpcErrorOptions extends PatchbayErrorOptions {
  readonly rpcCode?: number | undefined;
  readonly data?: unknown;
  readonly isRetryAfterGiven?: boolean;
}

/** It is not worth asking another node: this one has understood. */
export function isRefusal(error: unknown): boolean {
  return !(error instanceof RpcError) || error.kind === 'rejected' || error.kind === 'rangeTooLarge';
}

/** The node does not know the method, or its operator has not enabled it. */
export function isUnknownMethod(error: unknown): boolean {
  if (!(error instanceof RpcError) || error.kind !== 'rejected') return false;
  return unknownMethodCodes.has(error.rpcCode ?? 0) || unknownMethodText.test(error.rpcMessage);
}

export function isThrottling(text: string): boolean {
  return throttledText.test(text);
}

const unknownMethodCodes = new Set([-32_601, -32_604]);
const unknownMethodText =
  /method.{0,80}(not (found|supported|available|enabled|exist)|does not exist|is not whitelisted)|(unsupported|unknown|unrecognized) method/i;

const codeOf: Readonly<Record<RpcErrorKind, ErrorCode>> = {
  rangeTooLarge: 'evm.rpc',
  throttled: 'evm.rpcThrottled',
  transport: 'evm.rpc',
  wrongChain: 'evm.wrongChain',
  rejected: 'evm.rpc',
};

const throttledText = /rate.?limit|too many requests|request limit|capacity (limit )?exceeded|compute units|throttl/i;
const throttledCodes = new Set([429, -32029]);
const syncingText =
  /initial sync is still in progress|node is (still )?(syncing|not synced)|world state .{0,20}not available/i;
const rangeText =
  /block range|range (is )?too (large|wide|big)|range limit|limited to|more than \d+ (results|logs)|response size|too many (logs|blocks|results)|maximum.*(blocks|logs)|exceeds? the (range|limit)|query (timeout|exceeds)|max(imum)? results|result window/i;

/** What a JSON-RPC error object means; providers agree on neither codes nor words, so both are looked at. */
export function rpcErrorOf(method: string, error: { code?: unknown; message?: unknown; data?: unknown }): RpcError {
  const rpcCode = typeof error.code === 'number' ? error.code : undefined;
  const text = typeof error.message === 'string' ? error.message : 'the node gave no reason';
  const options = { rpcCode, data: error.data };
  if (method === 'eth_getLogs' && rangeText.test(text)) return new RpcError('rangeTooLarge', text, options);
  if (throttledText.test(text) || (rpcCode !== undefined && throttledCodes.has(rpcCode))) {
    return new RpcError('throttled', text, { ...options, retryAfterMs: 1_000 });
  }
  // Besu speaks while it catches up; another node may have the chain already.
  if (syncingText.test(text)) return new RpcError('transport', text, options);
  if (rpcCode === -32005) {
    if (method === 'eth_getLogs') return new RpcError('rangeTooLarge', text, options);
    // Besu uses the code for a gas limit above that of a block, which waiting does not cure.
    if (/gas limit/i.test(text)) return new RpcError('rejected', text, options);
    return new RpcError('throttled', text, { ...options, retryAfterMs: 1_000 });
  }
  return new RpcError('rejected', text, options);
}
