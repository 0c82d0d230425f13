import { encode } from 'cbor2';
import { specIdOf } from '../../connectors/oracle/job-id.js';
import { exitCodes } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import type { RunAnswer } from './hub-answers.js';
import { HubChain } from './hub-chain.js';
import type { HubClient } from './hub-client.js';
import { NewDeadLetters } from './oracle-dead-letter.js';
import type { Session } from './session.js';

export interface OracleAskOptions {
  readonly job: string;
  readonly param?: readonly string[];
  readonly payment: string;
  readonly from?: string;
}

interface OracleConnection {
  readonly name: string;
  readonly connector: string;
  readonly settings: { readonly network?: string; readonly contract?: string; readonly signer?: string };
}

const patienceMs = 120_000;
const askEveryMs = 500;

/** Asks a job on chain, by way of a contract of its own, and shows what is answered, or why the hub will not answer. */
export async function askOracle(name: string, options: OracleAskOptions, session: Session): Promise<void> {
  const specId = specIdOf(options.job);
  if (specId === undefined) {
    throw new UsageError(`${options.job} is no job.`, 'A job is a UUID, or a name of at most 32 bytes.');
  }
  if (!/^\d{1,40}$/.test(options.payment)) {
    throw new UsageError(`--payment ${options.payment} is no amount.`, 'Give juels: 1 LINK is 10^18 of them.');
  }
  const data = encodedParams(options.param ?? []);
  const hub = await session.hub();
  const { contract, network, from } = await connectionOf(hub, name, options.from);
  const chain = new HubChain({ hub, session, network, from, keyed: `oracle:${network}` });
  const oracle = await chain.find(contract);
  if (oracle === undefined)
    throw new CommandError(exitCodes.notFound, `The network ${network} has no contract ${contract}.`);
  const link = String(await chain.read(contract, 'getChainlinkToken'));

  // A probe pays with one LINK token, and obeys one owner.
  const probe = `oracle-probe-${from}-${link.slice(2, 10)}`;
  const address = (await chain.find(probe)) ?? (await chain.deploy('OracleProbe', probe, { link_: link }));
  if (BigInt(options.payment) > 0n) {
    await chain.upload('LinkToken');
    await chain.call(
      link,
      'transfer',
      { to: address, amount: options.payment },
      { told: `${options.payment} juels for the probe`, isRepeatable: true, as: 'LinkToken' },
    );
  }
  const deadLetters = await NewDeadLetters.from(hub);
  const asked = await chain.call(
    probe,
    'ask',
    { oracle, specId, payment: options.payment, data },
    { told: `asked ${contract} for ${options.job}`, isRepeatable: true },
  );
  const requestId = String(asked.events.find((event) => event.name === 'Asked')?.args['requestId']);
  session.note(`  request ${requestId} in block ${asked.blockNumber ?? '?'}`);

  const answer = await untilAnswered({ chain, probe, requestId, deadLetters }, session);
  session.show({ requestId, specId, answer, ...readings(answer) }, () =>
    Object.entries({ answer, ...readings(answer) })
      .map(([title, text]) => `${title.padEnd(8)} ${text}`)
      .join('\n'),
  );
}

interface Asked {
  readonly chain: HubChain;
  readonly probe: string;
  readonly requestId: string;
  /** Undefined: nobody may know what became of it. */
  readonly deadLetters: NewDeadLetters | undefined;
}

/** @throws CommandError as soon as the request is a dead letter, or when it took too long */
async function untilAnswered(asked: Asked, session: Session): Promise<string> {
  const until = Date.now() + patienceMs;
  while (Date.now() < until) {
    // In this order: an answer from before the request was given up is one.
    const given = await asked.deadLetters?.of(asked.requestId);
    const answer = String(await asked.chain.read(asked.probe, 'answerOf', { requestId: asked.requestId }));
    if (answer !== '0x') return answer;
    if (given !== undefined) throw givenUp(given);
    await session.pause(askEveryMs);
  }
  throw new CommandError(
    exitCodes.tooLong,
    `There was no answer within ${patienceMs / 1_000} s. It may still come.`,
    'See what became of the request: npx patchbay runs, npx patchbay dead-letters',
  );
}

function givenUp({ id, error }: RunAnswer): CommandError {
  const { code = 'internal', message = '', fix } = error ?? {};
  return new CommandError(
    exitCodes.failed,
    `The request is not answered, it is the dead letter ${id}: ${code}  ${message}`,
    `${fix === undefined ? '' : `${fix} `}See the request: npx patchbay dead-letters show ${id}`,
  );
}

async function connectionOf(
  hub: HubClient,
  name: string,
  from: string | undefined,
): Promise<{ readonly contract: string; readonly network: string; readonly from: string }> {
  const { connections } = await hub.get<{ connections: readonly OracleConnection[] }>('/api/connections');
  const oracles = connections.filter(({ connector }) => connector === 'oracle');
  const known = oracles.find((one) => one.name === name);
  const { contract, network, signer } = known?.settings ?? {};
  const sender = from ?? signer;
  if (known !== undefined && contract !== undefined && network !== undefined && sender !== undefined) {
    return { contract, network, from: sender };
  }
  if (known === undefined) {
    throw new CommandError(
      exitCodes.notFound,
      `There is no oracle connection ${name}.`,
      oracles.length === 0
        ? 'Make one: npx patchbay oracle deploy --signer <name>'
        : `Known: ${oracles.map((one) => one.name).join(', ')}.`,
    );
  }
  throw new CommandError(exitCodes.faults, `The connection ${name} needs network, contract and signer to be asked.`);
}

/** Keys and values one after the other, as oracles read them. @throws UsageError */
function encodedParams(params: readonly string[]): string {
  const bytes = params.flatMap((param) => {
    const place = param.indexOf('=');
    if (place < 1) throw new UsageError(`--param ${param} is no key=value.`);
    return [encode(param.slice(0, place)), encode(param.slice(place + 1))];
  });
  return `0x${Buffer.concat(bytes).toString('hex')}`;
}

/** What a single word may mean. */
function readings(answer: string): Readonly<Record<string, string>> {
  if (answer.length !== 66) return {};
  const text = Buffer.from(answer.slice(2), 'hex').toString('utf8').replace(/\0+$/, '');
  const number = BigInt.asIntN(256, BigInt(answer)).toString();
  return { number, ...(/^[\x20-\x7e]+$/.test(text) && { text }) };
}
