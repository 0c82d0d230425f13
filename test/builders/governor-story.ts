import { encodeAbiParameters, encodeFunctionData, keccak256, parseAbi, toHex, type Hex } from 'viem';
import { asIs, people, type ContractStory, type Places } from './contract-story.js';
import { ballot, extendedBallot, far } from './signed-arguments.js';

const { treasury, other, third } = people;
const proposeSignature = 'propose(address[],uint256[],bytes[],string)';
const executeSignature = 'execute(address[],uint256[],bytes[],bytes32)';
const cancelSignature = 'cancel(address[],uint256[],bytes[],bytes32)';
const ballotSignature = 'castVoteBySig(uint256,uint8,address,bytes)';
const extendedBallotSignature = 'castVoteWithReasonAndParamsBySig(uint256,uint8,address,string,bytes,bytes)';

export const governor: ContractStory = {
  name: 'governor',
  contract: 'MyGovernor',
  source: 'contracts/Governance.sol',
  alwaysRefuses: [
    'queue(address[],uint256[],bytes[],bytes32)',
    'relay(address,uint256,bytes)',
    'setProposalThreshold(uint256)',
    'setVotingDelay(uint48)',
    'setVotingPeriod(uint32)',
    'updateQuorumNumerator(uint256)',
  ],
  deployedWith: (at) => [at['votes'], 1n, 1_000n],
  async tell({ at, send, mine }) {
    const { slower, idle, open, waiting, withdrawn } = proposals(at);
    const propose = (proposal: Proposal) => send(proposeSignature, [...proposal.actions, proposal.description]);
    await propose(slower);
    await propose(idle);
    await mine(2);
    await send('castVoteWithReason(uint256,uint8,string)', [slower.id, 1, 'because “yes”']);
    await send('castVote(uint256,uint8)', [idle.id, 1]);
    await send(ballotSignature, await ballot(at['governor'], { proposalId: idle.id, nonce: 0n }));
    await mine(1_000);
    await send(executeSignature, executed(slower));
    await propose(open);
    await mine(101);
    await propose(waiting);
    await propose(withdrawn);
    await send(cancelSignature, executed(withdrawn));
  },
  async cases(at) {
    const { slower, idle, open, waiting, withdrawn } = proposals(at);
    const all = [slower, idle, open, waiting, withdrawn].map(({ id }) => [id]);
    const byId = [...all, [7n]];
    return {
      'BALLOT_TYPEHASH()': asIs,
      'CLOCK_MODE()': asIs,
      'COUNTING_MODE()': asIs,
      'EXTENDED_BALLOT_TYPEHASH()': asIs,
      [cancelSignature]: [executed(waiting), executed(slower)],
      'castVote(uint256,uint8)': [
        [open.id, 0],
        [open.id, 3],
        [waiting.id, 1],
        [7n, 1],
      ],
      [ballotSignature]: [
        await ballot(at['governor'], { proposalId: open.id, nonce: 1n }),
        await ballot(at['governor'], { proposalId: open.id, nonce: 9n }),
      ],
      'castVoteWithReason(uint256,uint8,string)': [
        [open.id, 2, ''],
        [idle.id, 1, 'again'],
      ],
      'castVoteWithReasonAndParams(uint256,uint8,string,bytes)': [[open.id, 1, 'why', '0x1234']],
      [extendedBallotSignature]: [await extendedBallot(at['governor'], { proposalId: open.id, nonce: 1n })],
      'clock()': asIs,
      'eip712Domain()': asIs,
      [executeSignature]: [executed(idle), executed(open)],
      'getProposalId(address[],uint256[],bytes[],bytes32)': [executed(idle)],
      'getVotes(address,uint256)': [
        [treasury, 1n],
        [treasury, far],
      ],
      'getVotesWithParams(address,uint256,bytes)': [[treasury, 1n, '0xabcdef']],
      'hasVoted(uint256,address)': [
        [idle.id, other],
        [idle.id, third],
      ],
      'hashProposal(address[],uint256[],bytes[],bytes32)': [executed(open), [[], [], [], toHex(0, { size: 32 })]],
      'name()': asIs,
      'nonces(address)': [[other]],
      'onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)': [[other, third, [1n, 2n], [], '0x']],
      'onERC1155Received(address,address,uint256,uint256,bytes)': [[other, third, 1n, 2n, '0x00']],
      'onERC721Received(address,address,uint256,bytes)': [[other, third, 1n, '0x']],
      'proposalDeadline(uint256)': byId,
      'proposalEta(uint256)': byId,
      'proposalNeedsQueuing(uint256)': byId,
      'proposalProposer(uint256)': byId,
      'proposalSnapshot(uint256)': byId,
      'proposalThreshold()': asIs,
      'proposalVotes(uint256)': byId,
      [proposeSignature]: [
        [...idle.actions, 'yet another'],
        [...idle.actions, idle.description],
        [[], [], [], 'nothing to do'],
        [[third], [], [], 'uneven'],
      ],
      'queue(address[],uint256[],bytes[],bytes32)': [executed(idle), executed(open)],
      'quorum(uint256)': [[1n], [far]],
      'quorumDenominator()': asIs,
      'quorumNumerator()': asIs,
      'quorumNumerator(uint256)': [[1n], [0n]],
      'relay(address,uint256,bytes)': [[third, 1n, '0x'], { args: [third, 1n, '0x1234'], value: 5n }],
      'setProposalThreshold(uint256)': [[5n]],
      'setVotingDelay(uint48)': [[5]],
      'setVotingPeriod(uint32)': [[5]],
      'state(uint256)': byId,
      'supportsInterface(bytes4)': [['0x65455a86'], ['0x01ffc9a7']],
      'token()': asIs,
      'updateQuorumNumerator(uint256)': [[5n]],
      'version()': asIs,
      'votingDelay()': asIs,
      'votingPeriod()': asIs,
    };
  },
};

interface Proposal {
  readonly id: bigint;
  readonly actions: readonly [targets: readonly Hex[], values: readonly bigint[], calldatas: readonly Hex[]];
  readonly description: string;
}

function proposals(at: Places) {
  const settings = parseAbi(['function setVotingDelay(uint48 delay)', 'function transfer(address to, uint256 value)']);
  const delay = encodeFunctionData({ abi: settings, functionName: 'setVotingDelay', args: [100] });
  const transfer = encodeFunctionData({ abi: settings, functionName: 'transfer', args: [third, 0n] });
  const toItself = aProposal([at['governor'] as Hex], [delay], 'Decide more slowly');
  const toVotes = (description: string) => aProposal([at['votes'] as Hex], [transfer], description);
  return {
    /** Executed. */
    slower: toItself,
    /** Succeeded. */
    idle: toVotes('Give nothing'),
    /** Active. */
    open: aProposal([at['votes'] as Hex, third], [transfer, '0x'], 'Two things\nat once'),
    /** Pending. */
    waiting: toVotes('Later'),
    /** Cancelled. */
    withdrawn: toVotes('Never'),
  };
}

function aProposal(targets: readonly Hex[], calldatas: readonly Hex[], description: string): Proposal {
  const actions = [targets, targets.map(() => 0n), calldatas] as const;
  const types = ['address[]', 'uint256[]', 'bytes[]', 'bytes32'].map((type) => ({ type }));
  const id = BigInt(keccak256(encodeAbiParameters(types, [...actions, keccak256(toHex(description))])));
  return { id, actions, description };
}

/** The arguments by which a proposal is found again. */
function executed({ actions, description }: Proposal): readonly unknown[] {
  return [...actions, keccak256(toHex(description))];
}
