import type { App, Create, Search, Trigger } from 'zapier-platform-core';
import { authentication } from './authentication.js';
import { callContract } from './creates/call-contract.js';
import { mintToken } from './creates/mint-token.js';
import { readContract } from './creates/read-contract.js';
import { runFlow } from './creates/run-flow.js';
import { addKey, explainFailure } from './hub.js';
import { findRun } from './searches/find-run.js';
import { findTransaction } from './searches/find-transaction.js';
import { contractEvent } from './triggers/contract-event.js';
import { flowFinished } from './triggers/flow-finished.js';
import { flowPublished } from './triggers/flow-published.js';
import { lists } from './triggers/lists.js';
import { tokenTransfer } from './triggers/token-transfer.js';
import { transactionStatus } from './triggers/transaction-status.js';

/** As in package.json; a test compares them. */
const version = '1.0.0';
const platformVersion = '19.1.0';

/** @param options.movesAssets – with the creates that send transactions by themselves */
export function createApp({
  movesAssets,
}: {
  readonly movesAssets: boolean;
}): App<Record<string, Trigger>, Record<string, Create>, Record<string, Search>> {
  return {
    version,
    platformVersion,
    // Every request goes through `z.request`, which is logged anyway; the patch would change `http` for the whole process.
    flags: { skipHttpPatch: true },
    authentication,
    beforeRequest: [addKey],
    afterResponse: [explainFailure],
    triggers: byKey([contractEvent, tokenTransfer, transactionStatus, flowPublished, flowFinished, ...lists]),
    creates: byKey([runFlow, readContract, ...(movesAssets ? [callContract, mintToken] : [])]),
    searches: byKey([findRun, findTransaction]),
  };
}

function byKey<Operation extends { readonly key: string }>(
  operations: readonly Operation[],
): Record<string, Operation> {
  return Object.fromEntries(operations.map((operation) => [operation.key, operation]));
}
