import { createAddress, encodeDeploy, type FeeWish, type InterfaceDirectory, type Wait } from '#evm';
import type { NetworksService } from '#networks';
import type { Caller } from '#platform';
import { PatchbayError } from '#sdk';
import { originOf } from '#transactions';
import type { FunctionArguments } from './contract-calls.js';
import type { ContractsService } from './contracts.service.js';
import type { ContractsStore } from './contracts.store.js';
import type { InterfacesService } from './interfaces.service.js';
import { linkLibraries } from './link-libraries.js';
import type { RegisteredContracts } from './registered-contracts.js';
import { followTransaction, type SentTransaction } from './sent-transaction.js';

export interface DeployOptions {
  readonly version?: number;
  readonly args: FunctionArguments;
  /** Where the arguments lie in what the caller wrote, for pointers. Default `#/args`. */
  readonly root?: string;
  /** A signer by name, `hd-<wallet>-<index>`, or the address of one. */
  readonly from: string;
  readonly value?: bigint;
  readonly gas?: bigint;
  readonly fees?: FeeWish;
  /** Under which the contract is then called; unique on its network. */
  readonly name?: string;
  readonly network?: string;
  /** Addresses by name. */
  readonly libraries?: Readonly<Record<string, string>>;
  readonly wait?: Wait;
  readonly waitMs?: number | undefined;
  readonly idempotencyKey: string;
  readonly signal?: AbortSignal;
}

export interface Deployment extends SentTransaction {
  /** Where the contract is, or will be. */
  readonly address: string;
  readonly name: string | undefined;
}

export interface DeploymentsParts {
  readonly contracts: ContractsService;
  readonly interfaces: InterfacesService;
  readonly networks: NetworksService;
  readonly registered: RegisteredContracts;
  readonly store: ContractsStore;
}

/** New instances of interfaces. Each is known under its address and name from the moment its transaction is accepted. */
export class DeploymentsService implements InterfaceDirectory {
  constructor(private readonly parts: DeploymentsParts) {}

  /**
   * @throws evm.arguments, evm.reverted, evm.insufficientFunds, evm.unknownSigner; request.conflict when the name is taken or
   * the idempotency key was used for something else
   */
  async deploy(interfaceName: string, options: DeployOptions, caller: Caller): Promise<Deployment> {
    const [network, known] = await Promise.all([
      this.parts.networks.get(options.network),
      this.parts.interfaces.get(interfaceName, options.version),
    ]);
    if (known.bytecode === undefined) {
      throw new PatchbayError('request.conflict', {
        detail: `The interface ${known.name} has no bytecode, so it cannot be deployed`,
        fix: 'Register a contract that is neither abstract nor an interface, or give the bytecode with the ABI.',
      });
    }
    const linked = linkLibraries(known.bytecode, known.links, options.libraries ?? {});
    const data = encodeDeploy(known.abi, linked, options.args, {
      libraries: Object.keys(known.links),
      ...(options.root !== undefined && { root: options.root }),
    });
    // The same deployment again finds its name taken by itself, or since by another.
    if (options.name !== undefined && !(await this.parts.store.isKeyUsed(options.idempotencyKey))) {
      await this.parts.contracts.assertFree(network, options.name);
    }
    const record = await network.transactions.submit({
      idempotencyKey: options.idempotencyKey,
      signer: options.from,
      data,
      value: options.value ?? 0n,
      finality: network.finalityOf(undefined),
      abi: known.abi,
      about: { contract: known.name, function: 'constructor', args: options.args },
      origin: originOf(caller),
      deploys: { network: network.name, name: options.name, interfaceId: known.id, createdBy: caller.name },
      ...(options.gas !== undefined && { gasLimit: options.gas }),
      ...(options.fees !== undefined && { fee: options.fees }),
    });
    const address = createAddress(record.from, record.nonce);
    // Again: the key may be that of a deployment which was accepted when this was not yet kept with it.
    await this.register({
      network: network.name,
      address,
      ...(options.name !== undefined && { name: options.name }),
      interface: known,
      transaction: record.id,
      by: caller.name,
    });
    const sent = await followTransaction(network, record, { address, abi: known.abi }, options);
    return { ...sent, address, name: options.name };
  }

  async find(name: string, version?: number): ReturnType<InterfaceDirectory['find']> {
    try {
      return await this.parts.interfaces.get(name, version);
    } catch (error) {
      if (error instanceof PatchbayError && error.code === 'gateway.unknownInterface') return undefined;
      throw error;
    }
  }

  async register(contract: Parameters<InterfaceDirectory['register']>[0]): Promise<void> {
    const { network, address, name, transaction, by } = contract;
    const { id: interfaceId } = await this.parts.interfaces.get(contract.interface.name, contract.interface.version);
    const known = await this.parts.store.find(network, address);
    if (known?.interfaceId === interfaceId && known.name === name) return;
    // Whatever it is called by now.
    if (transaction !== undefined && known?.transactionId === transaction) return;
    await this.parts.store.add({ network, address, name, interfaceId, transactionId: transaction, createdBy: by });
    this.parts.registered.forget();
  }
}
