import { RpcError } from './rpc-error.js';

/**
 * What the answer to a broadcast means. `unknown`: it may have been taken or not; the same bytes can be sent again.
 * `impossible`: these bytes can never be mined.
 */
export type Submission =
  'accepted' | 'nonceTooLow' | 'nonceTooHigh' | 'underpriced' | 'insufficientFunds' | 'impossible' | 'unknown';

/** Nodes share no codes for these, so their words are compared (Geth, Besu, GoQuorum, Nethermind, Erigon, anvil); the order matters. */
const words: readonly (readonly [Submission, RegExp])[] = [
  ['accepted', /already ?known|already imported|known transaction|already.?exists|transaction already in/i],
  ['nonceTooLow', /nonce.{0,20}too low|nonce has already been used|oldnonce|(invalid|incorrect) nonce/i],
  [
    'nonceTooHigh',
    /nonce.{0,20}(too high|gap)|future (nonce|transaction)|nonce is too distant|transaction with a lower nonce exists|in-flight transaction limit/i,
  ],
  [
    'insufficientFunds',
    /insufficient (funds|balance)|doesn't have enough funds|overdraft|cost exceeds (account )?balance/i,
  ],
  [
    'underpriced',
    /underpriced|fee cap.{0,30}(less|below|lower)|max fee per gas less than block base fee|gas price.{0,20}(too low|below)|fee ?too ?low|gas price not 0/i,
  ],
  [
    'impossible',
    /intrinsic gas|exceeds block gas limit|gas limit (too|reached|exceed)|floor data gas|invalid (sender|chain ?id|signature)|(wrong|incorrect) chain ?id|chain ?id (is required|not supported)|oversized data|(tip|priority fee per gas).{0,20}(above|higher than|exceeds).{0,20}fee|type (is )?not supported|initcode size|fee cap exceeded|exceeds the configured cap/i,
  ],
];

export function classifySubmission(error: unknown): Submission {
  if (!(error instanceof RpcError) || error.kind !== 'rejected') return 'unknown';
  return words.find(([, pattern]) => pattern.test(error.rpcMessage))?.[0] ?? 'unknown';
}
