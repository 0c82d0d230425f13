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

  constructor(
    kind: RpcErrorKind,
    rpcMessage: string,
    options: PatchbayErrorOptions & { readonly rpcCode?: number | undefined; readonly data?: unknown } = {},
  ) {
    super(codeOf[kind], { detail: rpcMessage, ...options });
    this.kind = kind;
    this.rpcMessage = rpcMessage;
    this.rpcCode = options.rpcCode;
    this.data = options.data;
  }
}

const codeOf: Readonly<Record<RpcErrorKind, ErrorCode>> = {
  rangeTooLarge: 'evm.rpc',
  throttled: 'evm.rpcThrottled',
  transport: 'evm.rpc',
  wrongChain: 'evm.wrongChain',
  rejected: 'evm.rpc',
};

const throttledText = /rate.?limit|too many requests|request limit|capacity (limit )?exceeded|compute units|throttl/i;
const throttledCodes = new Set([429, -32029]);
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
  if (rpcCode === -32005) {
    return method === 'eth_getLogs'
      ? new RpcError('rangeTooLarge', text, options)
      : new RpcError('throttled', text, { ...options, retryAfterMs: 1_000 });
  }
  return new RpcError('rejected', text, options);
}
