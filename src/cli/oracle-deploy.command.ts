import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import { specIdOf } from '../../connectors/oracle/job-id.js';
import { exitCodes } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import type { HubClient } from './hub-client.js';
import { HubChain } from './hub-chain.js';
import { jobFlowText } from './oracle-job-flow.js';
import type { Session } from './session.js';

export interface OracleDeployOptions {
  readonly signer: string;
  readonly owner?: string;
  readonly network?: string;
  readonly link?: string;
  readonly newLink?: boolean;
  readonly name: string;
  readonly connection: string;
  readonly job?: string;
}

interface NetworkAnswer {
  readonly name: string;
  readonly isDefault: boolean;
  readonly settings: { readonly chainId: number };
}

/** Of chains that somebody runs for development only. */
const developmentChains: readonly number[] = [1_337, 31_337];

const contractName = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** What requests on a new LINK token can be paid with: 1,000 LINK, in juels. */
const mintedJuels = (1_000n * 10n ** 18n).toString();

/**
 * Puts an Operator on a network, lets a signer answer for it, declares the connection and, if asked, a job.
 * Every transaction has a key made of what it is for, so that the same command again goes on where it was interrupted.
 */
export async function deployOracle(options: OracleDeployOptions, session: Session): Promise<void> {
  const { name, connection, job } = options;
  for (const [flag, given] of Object.entries({ '--name': name, '--connection': connection, '--job': job })) {
    if (given !== undefined && !contractName.test(given))
      throw new UsageError(`${flag} ${given} is no name.`, 'Use lower-case letters, digits and hyphens.');
  }
  const flowFile = job === undefined ? undefined : await freeFlowFile(job, session);
  const hub = await session.hub();
  const signer = await addressOf(hub, options.signer);
  const owner = options.owner ?? options.signer;
  const ownerAddress = await addressOf(hub, owner);
  const network = await networkOf(hub, options.network);
  const chain = new HubChain({
    hub,
    session,
    network: network.name,
    from: owner,
    keyed: `oracle:${network.name}:${name}`,
  });

  const link = await linkToken(chain, network.settings.chainId, {
    ...options,
    minter: { name: owner, address: ownerAddress },
  });
  const operator = await chain.deploy('Operator', name, { link, owner: ownerAddress });
  await chain.call(
    name,
    'setAuthorizedSenders',
    { senders: [signer] },
    { told: `${options.signer} may answer`, isRepeatable: false },
  );

  await declareConnection(hub, connection, {
    network: network.name,
    contract: name,
    signer: options.signer,
  });
  session.note(`✓ connection ${connection}`);

  const jobId = randomUUID();
  const onlyPublic = !developmentChains.includes(network.settings.chainId);
  if (job !== undefined && flowFile !== undefined) {
    await mkdir(dirname(flowFile.path), { recursive: true });
    await writeFile(flowFile.path, jobFlowText({ name: job, jobId, connection, onlyPublic }), { flag: 'wx' });
    session.note(`✓ job ${job} in ${flowFile.shown}`);
  }
  const result = {
    network: network.name,
    link,
    operator,
    connection,
    ...(job !== undefined && { job: { name: job, id: jobId, specId: specIdOf(jobId), flow: flowFile?.shown } }),
  };
  session.show(result, () =>
    [
      `link       ${link}`,
      `operator   ${operator}`,
      ...(job === undefined
        ? []
        : [`job        ${jobId}`, `specId     ${specIdOf(jobId)}   (what a consumer contract asks for)`]),
    ].join('\n'),
  );
}

/** The one that is named, the one that is known as `link`, or a new one where that does no harm. */
async function linkToken(
  chain: HubChain,
  chainId: number,
  {
    link,
    newLink,
    minter,
  }: Pick<OracleDeployOptions, 'link' | 'newLink'> & {
    readonly minter: { readonly name: string; readonly address: string };
  },
): Promise<string> {
  if (link !== undefined && /^0x[0-9a-fA-F]{40}$/.test(link)) return link.toLowerCase();
  const known = await chain.find(link ?? 'link');
  if (known !== undefined) return known;
  if (link !== undefined) {
    throw new CommandError(exitCodes.notFound, `There is no contract ${link}.`, 'Give the address of the LINK token.');
  }
  if (newLink !== true && !developmentChains.includes(chainId)) {
    throw new UsageError(
      `The chain ${chainId} may have a LINK token already.`,
      'Name it with --link 0x…, or deploy one of your own with --new-link.',
    );
  }
  const address = await chain.deploy('LinkToken', 'link', {});
  await chain.call(
    'link',
    'grantMintRole',
    { minter: minter.address },
    { told: `${minter.name} may mint LINK`, isRepeatable: false },
  );
  await chain.call(
    'link',
    'mint',
    { account: minter.address, amount: mintedJuels },
    { told: `1000 LINK for ${minter.name}`, isRepeatable: false },
  );
  return address;
}

async function addressOf(hub: HubClient, signer: string): Promise<string> {
  const { signers } = await hub.get<{ signers: readonly { name: string; address: string | null }[] }>('/api/signers');
  const known = signers.find(({ name }) => name === signer);
  if (known?.address) return known.address;
  throw new CommandError(
    exitCodes.notFound,
    known === undefined ? `There is no signer ${signer}.` : `The signer ${signer} cannot sign for now.`,
    `Known: ${signers.map(({ name }) => name).join(', ') || 'none; declare one under signers: in patchbay.yaml'}.`,
  );
}

async function networkOf(hub: HubClient, wanted: string | undefined): Promise<NetworkAnswer> {
  const { networks } = await hub.get<{ networks: readonly NetworkAnswer[] }>('/api/networks');
  const chosen =
    wanted === undefined
      ? (networks.find(({ isDefault }) => isDefault) ?? (networks.length === 1 ? networks[0] : undefined))
      : networks.find(({ name }) => name === wanted);
  if (chosen !== undefined) return chosen;
  throw new CommandError(
    exitCodes.notFound,
    wanted === undefined ? 'It is not clear which network is meant.' : `There is no network ${wanted}.`,
    `Choose with --network: ${networks.map(({ name }) => name).join(', ')}.`,
  );
}

/** The same connection again is left as it is. */
async function declareConnection(
  hub: HubClient,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const { connections } = await hub.get<{
    connections: readonly { name: string; connector: string; settings: Readonly<Record<string, unknown>> }[];
  }>('/api/connections');
  const known = connections.find((one) => one.name === name);
  if (known === undefined) {
    await hub.post('/api/connections', { name, connector: 'oracle', settings });
    return;
  }
  const isSame =
    known.connector === 'oracle' && Object.entries(settings).every(([key, value]) => known.settings[key] === value);
  if (isSame) return;
  throw new CommandError(
    exitCodes.conflict,
    `There is a connection ${name} already, for something else.`,
    'Choose another name with --connection.',
  );
}

async function freeFlowFile(job: string, { io }: Session): Promise<{ readonly path: string; readonly shown: string }> {
  const shown = join(io.env['PATCHBAY_FLOWS_DIR'] ?? 'flows', `${job}.yaml`);
  const path = resolve(io.cwd, shown);
  if ((await stat(path).catch(() => undefined)) === undefined) return { path, shown };
  throw new CommandError(exitCodes.conflict, `${shown} exists already.`, 'Choose another name with --job.');
}
