import type { Abi, AbiFragment, AbiParameter } from '#evm';

const uint256 = 'uint256';

// ---------------------------------------------------------------- AggregatorV3Interface

export const decimals = view('decimals', [], [{ name: 'value', type: 'uint8' }]);
export const description = view('description', [], [{ name: 'value', type: 'string' }]);

const roundData: readonly AbiParameter[] = [
  { name: 'roundId', type: 'uint80' },
  { name: 'answer', type: 'int256' },
  { name: 'startedAt', type: uint256 },
  { name: 'updatedAt', type: uint256 },
  { name: 'answeredInRound', type: 'uint80' },
];
export const latestRoundData = view('latestRoundData', [], roundData);
export const getRoundData = view('getRoundData', [{ name: 'roundId', type: 'uint80' }], roundData);

/** What a proxy stands before, and how many there were. */
export const aggregator = view('aggregator', [], [{ name: 'value', type: 'address' }]);
export const phaseId = view('phaseId', [], [{ name: 'value', type: 'uint16' }]);

/** Emitted by the aggregator, never by its proxy. */
export const answerUpdated: AbiFragment = {
  type: 'event',
  name: 'AnswerUpdated',
  inputs: [
    { name: 'current', type: 'int256', indexed: true },
    { name: 'roundId', type: uint256, indexed: true },
    { name: 'updatedAt', type: uint256 },
  ],
};

// ---------------------------------------------------------------- PriceFeed

export const openRound = view(
  'openRound',
  [],
  [
    { name: 'roundId', type: 'uint80' },
    { name: 'startedAt', type: 'uint64' },
    { name: 'freshReports', type: uint256 },
  ],
);
export const reports = view(
  'reports',
  [{ name: 'reporter', type: 'address' }],
  [
    { name: 'answer', type: 'int256' },
    { name: 'roundId', type: 'uint80' },
    { name: 'observedAt', type: 'uint64' },
  ],
);
export const rules = view(
  'rules',
  [],
  [
    { name: 'minAnswer', type: 'int256' },
    { name: 'maxAnswer', type: 'int256' },
    { name: 'minReports', type: 'uint32' },
    { name: 'maxReportAge', type: 'uint32' },
  ],
);
export const report = write('report', [
  { name: 'roundId', type: 'uint80' },
  { name: 'answer', type: 'int256' },
  { name: 'observedAt', type: 'uint64' },
]);

/** Why a feed refuses a report. */
export const priceFeedErrors: Abi = [
  error('NotReporter', [['caller', 'address']]),
  error('RoundClosed', [
    ['roundId', 'uint80'],
    ['openRoundId', 'uint80'],
  ]),
  error('RoundNotOpen', [
    ['roundId', 'uint80'],
    ['openRoundId', 'uint80'],
  ]),
  error('StaleReport', [
    ['observedAt', 'uint64'],
    ['oldestAccepted', uint256],
  ]),
  error('FutureReport', [
    ['observedAt', 'uint64'],
    ['newestAccepted', uint256],
  ]),
  error('OlderThanOwnReport', [
    ['observedAt', 'uint64'],
    ['reportedBefore', 'uint64'],
  ]),
  error('AnswerOutOfBand', [
    ['answer', 'int256'],
    ['minAnswer', 'int256'],
    ['maxAnswer', 'int256'],
  ]),
  error('NoAnswer', [['roundId', 'uint80']]),
];

// ---------------------------------------------------------------- DataPoints

export const latestPoint = view(
  'latest',
  [],
  [
    { name: 'value', type: 'int256' },
    { name: 'timestamp', type: 'uint64' },
    { name: 'sequence', type: 'uint64' },
  ],
);
export const deliverPoint = write('deliver', [
  { name: 'value', type: 'int256' },
  { name: 'timestamp', type: 'uint64' },
  { name: 'sequence', type: 'uint64' },
]);
export const pointDelivered: AbiFragment = {
  type: 'event',
  name: 'PointDelivered',
  inputs: [
    { name: 'sequence', type: 'uint64', indexed: true },
    { name: 'value', type: 'int256' },
    { name: 'timestamp', type: 'uint64' },
    { name: 'delivered', type: uint256 },
    { name: 'failed', type: uint256 },
  ],
};
export const deliveryFailed: AbiFragment = {
  type: 'event',
  name: 'DeliveryFailed',
  inputs: [
    { name: 'sequence', type: 'uint64', indexed: true },
    { name: 'subscriber', type: 'address', indexed: true },
    { name: 'reason', type: 'bytes' },
  ],
};

/** Why points are refused. */
export const dataPointsErrors: Abi = [
  error('NotPublisher', [['caller', 'address']]),
  error('SequenceNotNewer', [
    ['sequence', 'uint64'],
    ['latest', 'uint64'],
  ]),
  error('OlderThanLatest', [
    ['timestamp', 'uint64'],
    ['latest', 'uint64'],
  ]),
  error('FuturePoint', [
    ['timestamp', 'uint64'],
    ['newestAccepted', uint256],
  ]),
  error('NotEnoughGas', [
    ['subscriber', 'address'],
    ['needed', uint256],
  ]),
  error('DeliveringAlready', []),
];

// ---------------------------------------------------------------- Lighthouse

const isThere: AbiParameter = { name: 'ok', type: 'bool' };
export const peekData = view('peekData', [], [{ name: 'value', type: 'uint128' }, isThere]);
export const peekUpdated = view('peekUpdated', [], [{ name: 'value', type: 'uint32' }, isThere]);
export const peekLastNonce = view('peekLastNonce', [], [{ name: 'value', type: 'uint32' }, isThere]);
export const writeLighthouse = write('write', [
  { name: 'value', type: uint256 },
  { name: 'nonce', type: uint256 },
]);

function view(name: string, inputs: readonly AbiParameter[], outputs: readonly AbiParameter[]): AbiFragment {
  return { type: 'function', name, inputs, outputs, stateMutability: 'view' };
}

function write(name: string, inputs: readonly AbiParameter[]): AbiFragment {
  return { type: 'function', name, inputs, outputs: [], stateMutability: 'nonpayable' };
}

function error(name: string, inputs: readonly (readonly [string, string])[]): AbiFragment {
  return { type: 'error', name, inputs: inputs.map(([of, type]) => ({ name: of, type })) };
}
