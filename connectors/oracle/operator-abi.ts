import type { AbiFragment, AbiParameter } from '#evm';

/** What a contract emits when it is asked; the same of Operator and of every version of Oracle. */
export const oracleRequest: AbiFragment = {
  type: 'event',
  name: 'OracleRequest',
  inputs: [
    { name: 'specId', type: 'bytes32', indexed: true },
    { name: 'requester', type: 'address' },
    { name: 'requestId', type: 'bytes32' },
    { name: 'payment', type: 'uint256' },
    { name: 'callbackAddr', type: 'address' },
    { name: 'callbackFunctionId', type: 'bytes4' },
    { name: 'cancelExpiration', type: 'uint256' },
    { name: 'dataVersion', type: 'uint256' },
    { name: 'data', type: 'bytes' },
  ],
};

/** Its topic is the id of the request, not that of the job. */
export const cancelOracleRequest: AbiFragment = {
  type: 'event',
  name: 'CancelOracleRequest',
  inputs: [{ name: 'requestId', type: 'bytes32', indexed: true }],
};

/** Only Operator emits it, whether or not the callback went well. */
export const oracleResponse: AbiFragment = {
  type: 'event',
  name: 'OracleResponse',
  inputs: [{ name: 'requestId', type: 'bytes32', indexed: true }],
};

/** What consumers that inherit ChainlinkClient emit when an answer has reached them. */
export const chainlinkFulfilled: AbiFragment = {
  type: 'event',
  name: 'ChainlinkFulfilled',
  inputs: [{ name: 'id', type: 'bytes32', indexed: true }],
};

const answered: readonly AbiParameter[] = [
  { name: 'requestId', type: 'bytes32' },
  { name: 'payment', type: 'uint256' },
  { name: 'callbackAddress', type: 'address' },
  { name: 'callbackFunctionId', type: 'bytes4' },
  { name: 'expiration', type: 'uint256' },
];

/** One word. */
export const fulfillOracleRequest: AbiFragment = write('fulfillOracleRequest', [
  ...answered,
  { name: 'data', type: 'bytes32' },
]);
/** The encoded arguments of the callback, of which the first is the id of the request. Operator only. */
export const fulfillOracleRequest2: AbiFragment = write('fulfillOracleRequest2', [
  ...answered,
  { name: 'data', type: 'bytes' },
]);

/** Operator and AuthorizedForwarder. */
export const typeAndVersion: AbiFragment = read('typeAndVersion', [], 'string');
/** Operator and AuthorizedForwarder. */
export const isAuthorizedSender: AbiFragment = read(
  'isAuthorizedSender',
  [{ name: 'sender', type: 'address' }],
  'bool',
);
/** Oracle. */
export const getAuthorizationStatus: AbiFragment = read(
  'getAuthorizationStatus',
  [{ name: 'node', type: 'address' }],
  'bool',
);
/** AuthorizedForwarder: calls another contract as itself. */
export const forward: AbiFragment = write('forward', [
  { name: 'to', type: 'address' },
  { name: 'data', type: 'bytes' },
]);

function write(name: string, inputs: readonly AbiParameter[]): AbiFragment {
  return { type: 'function', name, inputs: [...inputs], outputs: [], stateMutability: 'nonpayable' };
}

function read(name: string, inputs: readonly AbiParameter[], output: string): AbiFragment {
  return {
    type: 'function',
    name,
    inputs: [...inputs],
    outputs: [{ name: 'value', type: output }],
    stateMutability: 'view',
  };
}
