import { defineConnector } from '#sdk';
import { callFunction } from './call-function.action.js';
import { network } from './connection.js';
import { contractEvent } from './contract-event.trigger.js';
import { deploy } from './deploy.action.js';
import { newBlock } from './new-block.trigger.js';
import { sendTransaction } from './send-transaction.action.js';
import { transactionStatus } from './transaction-status.trigger.js';

export default defineConnector({
  name: 'evm',
  title: 'EVM chain',
  summary: 'Hears events of smart contracts, reads from them and sends transactions to them.',
  connection: network,
  section: 'networks',
  triggers: { contractEvent, newBlock, transactionStatus },
  actions: { callFunction, deploy, sendTransaction },
});
