/** The chain, without any framework: reading logs, sending transactions, and names for contracts. */
export {
  argumentNames,
  constructorOf,
  getFragment,
  selectorOf,
  signatureOf,
  topicOf,
  type Abi,
  type AbiFragment,
  type AbiParameter,
  type NamedKind,
} from './abi.js';
export { argumentsSchema, resultSchema, type Descriptions, type JsonSchema } from './abi-json-schema.js';
export {
  contractDirectory,
  interfaceDirectory,
  type ContractDirectory,
  type Interface,
  type InterfaceDirectory,
  type NewDeployment,
} from './contract-directory.js';
export { networkDirectory, type NetworkDirectory } from './network-directory.js';
export {
  gatewayCalls,
  isWantedCall,
  type GatewayCall,
  type GatewayCallWish,
  type NewGatewayCall,
} from './gateway-calls.js';
export { transactionFeed, type TransactionChange, type TransactionSubject } from './transaction-feed.js';
export {
  feeWishOf,
  type FeeWish,
  type SendRequest,
  type Simulation,
  type Transactions,
  type Wait,
} from './transactions.js';
export { AddressBook, type AddressBookOptions, type Contract } from './address-book.js';
export { isAddress } from './abi-values.js';
export { encodeArguments, encodeCall, encodeDeploy } from './arguments.js';
export { findBlock, toQuantity, type BlockHeader, type BlockTag } from './block.js';
export { findReceiptsInBlock, type BlockReceipts } from './block-receipts.js';
export { blockMemory, type BlockMemory, type KnownBlock } from './block-window.js';
export { createLogIds, type ChainLog } from './chain-log.js';
export { formatBlock, formatCheckpoint, formatPosition, parseCheckpoint, type Checkpoint } from './checkpoint.js';
export { createAddress } from './create-address.js';
export { contractEventOf, type ContractEvent, type ContractEventOf } from './contract-event.js';
export { listenForEvents, readPastEvents, type ListenedEvents } from './event-listening.js';
export { EventReader, type ReadEvent } from './event-reader.js';
export { filterTopics } from './event-topics.js';
export { readDecimals } from './token-decimals.js';
export { compileLogDecoder, type DecodedLog, type LogDecoder } from './log-decoder.js';
export { formatEventDeclaration, isEventDeclaration, parseEventDeclaration } from './event-declaration.js';
export { currentFee, feeMode, type FeeMode, type FeeSettings } from './fees.js';
export { finalizedFallback, settledBlock } from './final-blocks.js';
export { fromBlock } from './from-block.js';
export type { LogFilter } from './log-filter.js';
export { LogWatcher, type LogWatcherOptions, type WatcherStatus } from './log-watcher.js';
export { Network, type NetworkSettings, type SendingSettings } from './network.js';
export { readPastLogs, type PastLogs } from './past-logs.js';
export { decodeCall, decodeOutputs, type DecodedCall } from './outputs.js';
export { probeNode, type NodeTraits } from './node-traits.js';
export { findReceipt, findReceipts, type Receipt } from './receipt.js';
export { replayRevert, type FailedTransaction } from './replay-revert.js';
export { asRevert, describeRevert, type Revert } from './revert-reason.js';
export { RpcClient, type Rpc, type RpcCall, type RpcClientOptions } from './rpc-client.js';
export type { RpcAgents } from './rpc-transport.js';
export { RpcError, type RpcErrorKind } from './rpc-error.js';
export { hashOf, sendAndWait, waitUntil } from './send-and-wait.js';
export { shortfallOf } from './shortfall.js';
export {
  checkSigner,
  faultsOfSigner,
  signerNames,
  signerSource,
  type Fee,
  type SignedTransaction,
  type Signer,
  type SignerNames,
  type SignerSource,
  type UnsignedTransaction,
} from './signer.js';
export { createDigestSigner } from './signers/digest-signature.js';
export { signPersonally } from './signers/personal-signature.js';
export { createKeySigner } from './signers/key-signer.js';
export { openRemoteSigner, type RemoteSignerOptions } from './signers/remote-signer.js';
export { SigningThread, type KeyLoader, type KeyMaterial } from './signers/signing-thread.js';
export { HdWallet, highestAccount, openThreadSigner, type WalletAccount } from './signers/thread-signer.js';
export { selectorOfSignature } from './selector.js';
export type { Batch, ChainRetraction, Finality, WatchOptions } from './subscription.js';
export { TransactionManager, type TransactionManagerOptions } from './transaction-manager.js';
export { MinedBlocks } from './mined-blocks.js';
export { NetworkFees } from './network-fees.js';
export {
  hasReached,
  isFinal,
  senderLeases,
  transactionSignals,
  transactionStatuses,
  transactionStore,
  type NewAttempt,
  type NewTransaction,
  type SenderLeases,
  type StatusChange,
  type StoredFeeWish,
  type TransactionAttempt,
  type TransactionDraft,
  type TransactionFailure,
  type TransactionPlace,
  type TransactionRecord,
  type TransactionSignals,
  type TransactionStatus,
  type TransactionStore,
  type TransactionWish,
} from './transaction-store.js';
export { formatUnits, parseUnits } from './units.js';
