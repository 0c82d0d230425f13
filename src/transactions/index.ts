/** What the chain layer keeps in the store: transactions with their attempts, and the newest blocks of each network. */
export { KyselyBlockMemory } from './block-memory.store.js';
export { callersKey, givenKey, originOf } from './callers-keys.js';
export { chainServices, type ChainServices } from './chain-services.js';
export { keepContract, refusingTwins, type NewContract } from './deployed-contracts.store.js';
export { keepGatewayCalls } from './gateway-calls.store.js';
export { SignersController } from './signers.controller.js';
export { SuspensionsController } from './suspensions.controller.js';
export { keepTransactionGauges } from './transaction-gauges.js';
export { KyselyTransactionFeed } from './transaction-feed.store.js';
export { transactionChange } from './transaction-change.schema.js';
export { TransactionsController } from './transactions.controller.js';
export { KyselyTransactionStore } from './transactions.store.js';
export type { TransactionDetail, TransactionView } from './transaction-views.js';
export { TransactionsQueries } from './transactions.queries.js';
export { TransactionsService } from './transactions.service.js';
export { TransactionsSocket } from './transactions.socket.js';
