import { RpcError } from './rpc-error.js';

/**
 * What the answer to a broadcast means. `unknown`: it may have been taken or not; the same bytes can be sent again.
 * `impossible`: these bytes can never be mined.
 */
export type Submission =
  'accepted' | 'nonceTooLow' | 'nonceTooHigh' | 'underpriced' | 'insufficientFunds' | 'impossible' | 'unknown';

/** Nodes share no codes for these, so their words are compared; the order matters. */
const words: readonly (readonly [Submission, RegExp])[] = [
  ['accepted', /already known|already imported|known transaction|already.?exists|transaction already in/i],
  ['nonceTooLow', /nonce.{0,20}too low|nonce has already been used|oldnonce|invalid nonce/i],
  ['nonceTooHigh', /nonce.{0,20}(too high|gap)|future nonce/i],
  ['insufficientFunds', /insufficient (funds|balance)|doesn't have enough funds|overdraft/i],
  [
    'underpriced',
    /underpriced|fee cap.{0,30}(less|below|lower)|max fee per gas less than block base fee|gas price.{0,20}(too low|below)|fee too low/i,
  ],
  [
    'impossible',
    /intrinsic gas|exceeds block gas limit|gas limit (too|reached|exceed)|invalid (sender|chain id|signature)|oversized data|tip.{0,20}(above|higher than).{0,20}fee cap|type not supported|initcode size/i,
  ],
];

export function classifySubmission(error: unknown): Submission {
  if (!(error instanceof RpcError) || error.kind !== 'rejected') return 'unknown';
  return words.find(([, pattern]) => pattern.test(error.rpcMessage))?.[0] ?? 'unknown';
}
