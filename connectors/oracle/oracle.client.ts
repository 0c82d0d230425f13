import { networkDirectory, signerSource, type AbiFragment, type Network } from '#evm';
import { PatchbayError, type HttpClient, type Logger, type UseService } from '#sdk';
import type { OracleSettings } from './connection.js';
import { askIfThere, contractAddress } from './contract-view.js';
import { getAuthorizationStatus, isAuthorizedSender, typeAndVersion } from './operator-abi.js';

export interface OracleContract {
  /** Lower case. */
  readonly address: string;
  readonly kind: 'operator' | 'oracle';
}

export interface OracleContext {
  readonly http: HttpClient;
  readonly log: Logger;
  readonly use: UseService;
}

/** One oracle as its connection describes it. Nothing is asked of the chain before a part needs it. */
export class OracleClient {
  readonly http: HttpClient;
  readonly #use: UseService;
  #kind: { readonly address: string; readonly known: Promise<OracleContract['kind']> } | undefined;

  constructor(
    readonly name: string,
    readonly settings: OracleSettings,
    context: OracleContext,
  ) {
    this.http = context.http;
    this.#use = context.use;
  }

  /** Ask each time: a connection that is changed is opened anew. @throws connection.notFound */
  network(): Promise<Network> {
    return this.#use(networkDirectory).get(this.settings.network);
  }

  /**
   * Where requests come to.
   *
   * @throws connection.invalid when the connection names no contract, or there is another thing at its address
   */
  async contract(): Promise<OracleContract> {
    const network = await this.network();
    const address = await contractAddress(network, this.part('contract', 'Requests come to a contract'));
    const { kind } = this.settings;
    if (kind !== 'auto') return { address, kind };
    if (this.#kind?.address !== address) {
      const known = this.#ask(network, address);
      this.#kind = { address, known };
      known.catch(() => (this.#kind = undefined));
    }
    return { address, kind: await this.#kind.known };
  }

  /** Name of the signer that sends. @throws connection.invalid */
  signer(): string {
    return this.part('signer', 'Answers have to be signed');
  }

  /** A setting that something needs. @throws connection.invalid, which says why */
  part<Name extends keyof OracleSettings>(name: Name, why: string): NonNullable<OracleSettings[Name]> {
    const value = this.settings[name];
    if (value !== undefined) return value;
    throw new PatchbayError('connection.invalid', {
      detail: `${why}, and the connection ${this.name} has no ${name}.`,
      fix: `Add ${name}: to the connection ${this.name} in patchbay.yaml.`,
    });
  }

  /** That the contract is one, and that whoever answers may; a connection for adapters only has nothing to prove. */
  async test(signal: AbortSignal): Promise<void> {
    if (this.settings.contract === undefined) return;
    const network = await this.network();
    const contract = await this.contract();
    await this.#assertCode(network, contract.address, 'contract', signal);
    if (this.settings.signer === undefined) return;
    const signer = (await this.#use(signerSource).get(this.settings.signer)).address;
    const { forwarder } = this.settings;
    if (forwarder === undefined) return this.#assertAuthorised(network, contract, signer, signal);
    await this.#assertCode(network, forwarder, 'forwarder', signal);
    await this.#assertAuthorised(network, { address: forwarder, kind: 'operator' }, signer, signal);
    await this.#assertAuthorised(network, contract, forwarder, signal);
  }

  async #ask(network: Network, address: string): Promise<OracleContract['kind']> {
    const said = await read(network, address, typeAndVersion);
    if (typeof said === 'string') {
      if (said.startsWith('Operator ')) return 'operator';
      throw this.#isNoOracle(network, address, `it says that it is ${JSON.stringify(said.slice(0, 100))}`);
    }
    // What came before Operator says nothing about itself.
    const status = await read(network, address, getAuthorizationStatus, { node: `0x${'0'.repeat(40)}` });
    if (typeof status === 'boolean') return 'oracle';
    await this.#assertCode(network, address, 'contract');
    throw this.#isNoOracle(network, address, 'it answers like neither Operator nor Oracle');
  }

  #isNoOracle({ name }: Network, address: string, because: string): PatchbayError {
    return new PatchbayError('connection.invalid', {
      detail: `The contract ${address} on ${name} cannot be served: ${because}.`,
      fix: `Check contract: and network: of the connection ${this.name}; if it is one all the same, say kind: operator or kind: oracle.`,
    });
  }

  async #assertCode(
    network: Network,
    address: string,
    part: 'contract' | 'forwarder',
    signal?: AbortSignal,
  ): Promise<void> {
    const code = await network.rpc.request<string>('eth_getCode', [address, 'latest'], signal);
    if (code !== '0x') return;
    throw new PatchbayError('connection.invalid', {
      detail: `There is no contract at ${address} on ${network.name}.`,
      fix: `Check ${part}: and network: of the connection ${this.name}.`,
    });
  }

  async #assertAuthorised(
    network: Network,
    { address, kind }: OracleContract,
    sender: string,
    signal: AbortSignal,
  ): Promise<void> {
    const isAuthorised =
      kind === 'operator'
        ? await read(network, address, isAuthorizedSender, { sender }, signal)
        : await read(network, address, getAuthorizationStatus, { node: sender }, signal);
    if (isAuthorised === true) return;
    throw new PatchbayError('connection.invalid', {
      detail: `${sender} is no authorised sender of ${address} on ${network.name}, so that no answer would be taken.`,
      fix:
        kind === 'operator'
          ? `Let the owner of ${address} call setAuthorizedSenders with all senders, this one included: it replaces the list.`
          : `Let the owner of ${address} call setFulfillmentPermission(${sender}, true).`,
    });
  }
}

/** What a view function with one output answers; undefined when the contract has no such function. */
async function read(
  network: Network,
  to: string,
  fragment: AbiFragment,
  args?: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<unknown> {
  return (await askIfThere(network, to, fragment, args, { ...(signal && { signal }) }))?.['value'];
}
