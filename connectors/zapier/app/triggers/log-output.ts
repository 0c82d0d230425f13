import type { PlainOutputField } from 'zapier-platform-core';

/** What every event of a contract has. */
export const logFields: PlainOutputField[] = [
  { key: 'id', label: 'ID', type: 'string', primary: true },
  { key: 'network', label: 'Network', type: 'string' },
  { key: 'chain_id', label: 'Chain ID', type: 'integer' },
  { key: 'contract_name', label: 'Contract Name', type: 'string' },
  { key: 'contract_address', label: 'Contract Address', type: 'string' },
  { key: 'transaction_hash', label: 'Transaction Hash', type: 'string' },
  { key: 'block_number', label: 'Block Number', type: 'integer' },
  { key: 'block_hash', label: 'Block Hash', type: 'string' },
  { key: 'log_index', label: 'Log Index', type: 'integer' },
  { key: 'time', label: 'Time', type: 'datetime' },
];

const hash = '0x9f3c0f3c2b1a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6';

export const logSample = {
  id: `31337:${hash}:0`,
  network: 'local',
  chain_id: 31337,
  contract_name: 'usdc',
  contract_address: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
  transaction_hash: hash,
  block_number: 1024,
  block_hash: '0x1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809',
  log_index: 0,
  time: '2026-01-01T00:00:00.000Z',
};
