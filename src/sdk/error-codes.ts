/** `never`: trying again cannot help. `later`: it may. `after`: it may, once the other side's own waiting time is over. */
export type RetryAdvice = 'never' | 'later' | 'after';

export interface ErrorCodeEntry {
  /** What went wrong, in words that hold for every occurrence. */
  readonly title: string;
  /** HTTP status with which our own API reports it. */
  readonly status: number;
  readonly retry: RetryAdvice;
}

/** Every code an error of Patchbay can carry. A code is stable and never put together from parts. */
export const errorCodes = {
  internal: { title: 'Something unexpected happened inside Patchbay', status: 500, retry: 'later' },

  'auth.missing': { title: 'No API key was given', status: 401, retry: 'never' },
  'auth.invalid': { title: 'The API key is not known', status: 401, retry: 'never' },
  'auth.forbidden': { title: 'The API key may not do this', status: 403, retry: 'never' },
  'auth.throttled': { title: 'Too many attempts with keys that are not known', status: 429, retry: 'after' },

  'request.invalid': { title: 'The request is not valid', status: 400, retry: 'never' },
  'request.tooLarge': { title: 'The request body is too large', status: 413, retry: 'never' },
  'request.unsupportedType': { title: 'The body has a type that is not understood here', status: 415, retry: 'never' },
  'request.notFound': { title: 'There is nothing under this address', status: 404, retry: 'never' },
  'request.conflict': { title: 'The request does not fit the present state', status: 409, retry: 'never' },
  'hub.busy': { title: 'The hub takes no more work for now', status: 503, retry: 'after' },
  'hub.stopping': { title: 'The hub is being stopped', status: 503, retry: 'later' },

  'config.invalid': { title: 'The configuration is not valid', status: 500, retry: 'never' },
  'store.unavailable': { title: 'The database cannot be reached', status: 503, retry: 'later' },
  'store.newerSchema': { title: 'The database was written by a newer version', status: 500, retry: 'never' },
  'lease.lost': { title: 'Another process has taken over', status: 409, retry: 'later' },
  'vault.unreadable': { title: 'A stored secret cannot be opened', status: 500, retry: 'never' },

  'flow.invalid': { title: 'The flow is not valid', status: 422, retry: 'never' },
  'flow.notFound': { title: 'There is no flow of this name', status: 404, retry: 'never' },
  'flow.disabled': { title: 'The flow is disabled', status: 409, retry: 'never' },
  'flow.input': { title: 'An input of a step does not fit its schema', status: 422, retry: 'never' },
  'flow.timeout': { title: 'The run took longer than its flow allows', status: 504, retry: 'never' },
  'template.invalid': { title: 'A template cannot be read', status: 422, retry: 'never' },
  'template.missingValue': { title: 'A template refers to a value that is not there', status: 422, retry: 'never' },
  'template.tooLarge': { title: 'A template or its result is too large', status: 422, retry: 'never' },
  'template.helper': { title: 'A helper of a template cannot use the value it was given', status: 422, retry: 'never' },
  'run.notFound': { title: 'There is no run with this id', status: 404, retry: 'never' },
  'run.stateConflict': { title: 'The run is not in a state that allows this', status: 409, retry: 'never' },
  'event.notFound': { title: 'There is no event with this id', status: 404, retry: 'never' },
  'step.timeout': { title: 'The step took longer than it may', status: 504, retry: 'later' },
  'step.outputTooLarge': { title: 'The output of a step is larger than is kept', status: 422, retry: 'never' },
  'step.cancelled': { title: 'The step was interrupted because the hub is stopping', status: 503, retry: 'later' },

  'connection.notFound': { title: 'There is no connection of this name', status: 404, retry: 'never' },
  'connection.invalid': { title: 'The settings of the connection are not valid', status: 422, retry: 'never' },
  'connection.refused': { title: 'The other side cannot be reached', status: 502, retry: 'later' },
  'connection.timeout': { title: 'The other side did not answer in time', status: 504, retry: 'later' },
  'connection.unauthorised': { title: 'The other side refused the credentials', status: 502, retry: 'never' },
  'connection.waiting': { title: 'The connection needs authorisation', status: 503, retry: 'after' },
  'target.forbidden': { title: 'The address may not be called from this hub', status: 403, retry: 'never' },
  'http.rejected': { title: 'The other side rejected the request', status: 502, retry: 'never' },
  'http.failed': { title: 'The other side failed', status: 502, retry: 'later' },
  'http.throttled': { title: 'The other side asks to be called less often', status: 429, retry: 'after' },
  'http.unreadable': { title: 'The answer of the other side cannot be read', status: 502, retry: 'later' },

  'hook.signature': { title: 'The signature of the request is not valid', status: 401, retry: 'never' },

  'evm.rpc': { title: 'The node of the network could not answer', status: 502, retry: 'later' },
  'evm.rpcThrottled': { title: 'The node of the network asks to be called less often', status: 429, retry: 'after' },
  'evm.wrongChain': { title: 'The node belongs to another chain', status: 502, retry: 'later' },
  'evm.reorgTooDeep': { title: 'The chain was reorganised deeper than the kept window', status: 500, retry: 'never' },
  'evm.unknownContract': { title: 'There is no contract of this name or address', status: 404, retry: 'never' },
  'evm.unknownFunction': { title: 'The contract has no such function or event', status: 404, retry: 'never' },
  'evm.unknownSigner': { title: 'There is no signer of this name', status: 404, retry: 'never' },
  'evm.arguments': { title: 'The arguments do not fit the function', status: 422, retry: 'never' },
  'evm.reverted': { title: 'The contract reverted the call', status: 422, retry: 'never' },
  'evm.insufficientFunds': { title: 'The signer cannot pay for the transaction', status: 402, retry: 'later' },
  'evm.pending': { title: 'The transaction is not final yet', status: 202, retry: 'after' },
  'evm.limit': { title: 'The limits of the sender do not allow this transaction', status: 403, retry: 'never' },
  'evm.signerSuspended': { title: 'The signer is suspended', status: 409, retry: 'later' },
  'evm.signerUnavailable': { title: 'The signer cannot sign for now', status: 502, retry: 'later' },
  'evm.cancelled': { title: 'The transaction was cancelled', status: 409, retry: 'never' },
  'evm.nonceTaken': { title: 'The nonce was used by somebody else', status: 409, retry: 'never' },

  'upload.invalid': { title: 'The upload cannot be used', status: 422, retry: 'never' },
  'solidity.invalid': { title: 'The sources do not compile', status: 422, retry: 'never' },
  'solidity.compilerMissing': { title: 'This version of the compiler is not installed', status: 422, retry: 'never' },
  'solidity.tooExpensive': {
    title: 'Compiling takes more time or memory than is allowed',
    status: 422,
    retry: 'never',
  },
  'gateway.unknownInterface': { title: 'There is no interface of this name', status: 404, retry: 'never' },
  'gateway.unknownContract': { title: 'There is no contract under this name or address', status: 404, retry: 'never' },

  'stream.notFound': { title: 'There is no event stream of this name', status: 404, retry: 'never' },
  'stream.invalid': { title: 'The event stream is not valid', status: 422, retry: 'never' },
  'stream.ended': { title: 'The consumer of the stream wants no more events', status: 410, retry: 'never' },
  'stream.refused': { title: 'The consumer of the stream did not accept the batch', status: 502, retry: 'later' },

  'ifttt.field': { title: 'A field of the Applet has a value that cannot work', status: 422, retry: 'never' },
  'ifttt.notConfigured': { title: 'This hub is no service of IFTTT', status: 503, retry: 'never' },

  'salesforce.data': { title: 'Salesforce refused the record', status: 422, retry: 'never' },
  'salesforce.configuration': { title: 'Salesforce does not know or allow this', status: 422, retry: 'never' },
  'salesforce.notFound': { title: 'Salesforce has no such record', status: 404, retry: 'never' },
  'salesforce.policy': { title: 'A rule of the org decides about this record', status: 409, retry: 'never' },
  'salesforce.ambiguous': { title: 'Salesforce may have done it already', status: 502, retry: 'never' },
  'salesforce.locked': { title: 'Salesforce has locked the record for now', status: 409, retry: 'later' },
  'salesforce.limit': { title: 'Salesforce allows no more calls for now', status: 429, retry: 'after' },
  'salesforce.unavailable': { title: 'Salesforce could not answer', status: 502, retry: 'later' },
  'salesforce.replayExpired': {
    title: 'Salesforce no longer keeps the events since the stored place',
    status: 410,
    retry: 'never',
  },

  'oracle.data': { title: 'The data of the request cannot be read', status: 422, retry: 'never' },
  'oracle.unknownJob': { title: 'No flow has the job that was asked for', status: 404, retry: 'never' },
  'oracle.payment': { title: 'The request pays less than is asked for', status: 402, retry: 'never' },
  'oracle.requester': { title: 'The requester may not ask', status: 403, retry: 'never' },
  'oracle.answer': { title: 'The value does not fit the type of the answer', status: 422, retry: 'never' },
  'oracle.expired': { title: 'The request has expired', status: 410, retry: 'never' },
  'oracle.callback': { title: 'The callback of the requester would fail', status: 422, retry: 'never' },
  'oracle.stale': { title: 'The value of the feed is too old or out of its bounds', status: 422, retry: 'later' },
  'oracle.adapter': { title: 'The external adapter gave no answer that can be used', status: 502, retry: 'later' },
  'oracle.pending': { title: 'The external adapter answers later', status: 202, retry: 'after' },
  'oracle.sources': { title: 'Too few sources gave a value that can be used', status: 502, retry: 'later' },
  'oracle.spec': { title: 'The job spec cannot be run', status: 422, retry: 'never' },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
