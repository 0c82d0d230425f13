import { hash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { exitCodes } from './exit-code.js';
import { CommandError } from './failure.js';
import { HubAnswerError, type HubClient } from './hub-client.js';
import type { Session } from './session.js';

export interface SentAnswer {
  readonly status: string;
  readonly hash?: string;
  readonly blockNumber?: number;
  readonly events: readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> }[];
}

interface DeployedAnswer {
  readonly contract: { readonly address: string };
}

/** Within one call of the hub; shorter than a command waits for its answer. */
const waitSeconds = 25;

/** Contracts of one network, deployed and called through the hub by one signer. */
export class HubChain {
  constructor(
    private readonly parts: {
      readonly hub: HubClient;
      readonly session: Session;
      readonly network: string;
      /** Name of the signer. */
      readonly from: string;
      /** In front of the idempotency keys: what is sent for the same purpose is sent once. */
      readonly keyed: string;
    },
  ) {}

  /** Where a contract lies that the hub knows by name. */
  async find(name: string): Promise<string | undefined> {
    try {
      return (await this.parts.hub.get<{ address: string }>(`/api/contracts/${this.#path(name)}`)).address;
    } catch (error) {
      if (error instanceof HubAnswerError && error.problem.status === 404) return undefined;
      throw error;
    }
  }

  /** Makes an artefact that comes with Patchbay known to the hub. @returns its version there */
  async upload(artefact: string): Promise<number> {
    const { abi, bytecode } = await readArtefact(artefact);
    const { version } = await this.parts.hub.post<{ version: number }>('/api/interfaces', {
      name: artefact,
      abi,
      bytecode,
    });
    return version;
  }

  /** From one of the artefacts that come with Patchbay. @returns its address */
  async deploy(artefact: string, name: string, args: Readonly<Record<string, unknown>>): Promise<string> {
    const { hub, session, network, from } = this.parts;
    const version = await this.upload(artefact);
    const { contract } = await hub.post<DeployedAnswer>(
      `/api/interfaces/${artefact}/deploy`,
      { version, args, from, name, network, wait: 'mined' },
      this.#headers(`deploy:${name}`),
    );
    session.note(`✓ ${artefact} ${contract.address}, known as ${name}`);
    return contract.address;
  }

  /**
   * Told when it is mined. Unless it may be repeated, the same call is made once, however often the command is given. `as`: the interface
   * of a contract that the hub does not know.
   */
  async call(
    contract: string,
    called: string,
    args: Readonly<Record<string, unknown>>,
    { told, isRepeatable, as }: { readonly told: string; readonly isRepeatable: boolean; readonly as?: string },
  ): Promise<SentAnswer> {
    const { hub, session, network, from } = this.parts;
    const sent = await hub.post<SentAnswer>(
      `/api/contracts/${encodeURIComponent(contract)}/${called}`,
      { args, from, network, wait: 'mined', ...(as !== undefined && { interface: as }) },
      this.#headers(isRepeatable ? randomUUID() : `${contract}:${called}:${hash('sha256', JSON.stringify(args))}`),
    );
    session.note(`✓ ${told}`);
    return sent;
  }

  /** What a function that has one output gives. */
  async read(contract: string, called: string, args: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const path = `/api/contracts/${this.#path(contract, `/${called}`, args)}`;
    return (await this.parts.hub.get<{ result: unknown }>(path)).result;
  }

  #path(contract: string, more = '', args: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams({ ...args, network: this.parts.network });
    return `${encodeURIComponent(contract)}${more}?${query}`;
  }

  #headers(purpose: string): Record<string, string> {
    return { 'idempotency-key': `${this.parts.keyed}:${purpose}`.slice(0, 200), prefer: `wait=${waitSeconds}` };
  }
}

async function readArtefact(name: string): Promise<{ readonly abi: unknown; readonly bytecode: string }> {
  // As source this file lies two folders below package.json, built it lies three below.
  const file = ['../../../contracts/abi/', '../../contracts/abi/']
    .map((folder) => new URL(`${folder}${name}.json`, import.meta.url))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new CommandError(exitCodes.notFound, `This installation lacks contracts/abi/${name}.json.`);
  }
  return JSON.parse(await readFile(file, 'utf8')) as { readonly abi: unknown; readonly bytecode: string };
}
