import {
  asRevert,
  decodeCall,
  decodeOutputs,
  encodeCall,
  getFragment,
  isAddress,
  signatureOf,
  type Abi,
  type AbiFragment,
  type FeeWish,
  type NewGatewayCall,
  type SignerSource,
  type Wait,
} from '#evm';
import type { Caller } from '#platform';
import { originOf } from '#transactions';
import type { CallableContract, ContractPlace, ContractsService } from './contracts.service.js';
import type { GatewayCallRecorder } from './gateway-call-recorder.js';
import { asMissingBlock } from './missing-block.js';
import { followTransaction, type SentTransaction } from './sent-transaction.js';

export type FunctionArguments = Readonly<Record<string, unknown>> | readonly unknown[];

interface CallOptions {
  /** By name, or in order. */
  readonly args: FunctionArguments;
  /** Where the arguments lie in what the caller wrote, for pointers. Default `#/args`. */
  readonly root?: string;
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  /** Any address, or a signer as one that sends. */
  readonly from?: string;
  readonly value?: bigint;
  readonly gas?: bigint;
  /** Number in hexadecimal, or one of the chain's words. Default `latest`. */
  readonly block?: string;
}

export interface ReadResult {
  readonly fragment: AbiFragment;
  /** By name. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The value; of several, an object by name. */
  readonly result: unknown;
}

export interface SendOptions extends CallOptions {
  /** A signer by name, `hd-<wallet>-<index>`, or the address of one. */
  readonly from: string;
  readonly value?: bigint;
  readonly gas?: bigint;
  readonly fees?: FeeWish;
  readonly wait?: Wait;
  /** How long to hold the call for `mined` and `confirmed`. */
  readonly waitMs?: number | undefined;
  readonly idempotencyKey: string;
}

export interface SimulationResult extends ReadResult {
  readonly gas: bigint;
}

interface Callable {
  /** As the ABI has it. */
  readonly fragment: AbiFragment;
  readonly signature: string;
}

/** A function of a contract, found: what is called. */
export interface ContractFunction extends Callable {
  readonly target: CallableContract;
}

/** Functions of contracts, read and sent to: what the REST routes of contracts do, for whoever speaks another dialect too. */
export class ContractCalls {
  /** Looking a function up in an ABI of hundreds is not done for each call. */
  readonly #callables = new WeakMap<Abi, Map<string, Callable>>();

  constructor(
    private readonly parts: {
      readonly contracts: ContractsService;
      readonly recorder: GatewayCallRecorder;
      readonly signers: SignerSource;
    },
  ) {}

  /**
   * By name or signature. Once for each call: its arguments cannot be read before it is known.
   *
   * @throws evm.unknownContract, evm.unknownFunction, gateway.unknownInterface
   */
  async find(contractRef: string, functionRef: string, where: ContractPlace = {}): Promise<ContractFunction> {
    const target = await this.parts.contracts.resolve(contractRef, where);
    return { target, ...this.#callable(target.contract.abi, functionRef) };
  }

  /**
   * Asks the chain; nothing on it changes.
   *
   * @throws evm.arguments naming the input; evm.unknownSigner; evm.reverted with the contract's own words;
   * request.invalid for a block that is not there
   */
  async call(
    { target, fragment, signature }: ContractFunction,
    options: ReadOptions,
    caller?: Caller,
  ): Promise<ReadResult> {
    const { network, contract } = target;
    const data = encodeCall(fragment, options.args, options.root);
    const call = {
      to: contract.address,
      data,
      ...(options.from !== undefined && { from: await this.#addressOf(options.from) }),
      ...(options.value !== undefined && { value: `0x${options.value.toString(16)}` }),
      ...(options.gas !== undefined && { gas: `0x${options.gas.toString(16)}` }),
    };
    const answer = await network.rpc
      .request<string>('eth_call', [call, options.block ?? 'latest'], options.signal)
      .catch(async (error: unknown) => {
        throw asRevert(error, contract.abi) ?? (await asMissingBlock(error, network, options.block)) ?? error;
      });
    const read = readAnswer(fragment, answer);
    const made = caller && this.#wantedCall(target, { caller: caller.name, function: signature, kind: 'read', data });
    if (made) await this.parts.recorder.keep(made, read.result);
    return read;
  }

  /**
   * Resolves once the transaction is stored with its nonce, or when it is as far as `wait` asks or the time is over.
   *
   * @throws evm.arguments, evm.reverted, evm.insufficientFunds, evm.unknownSigner, evm.limit; request.conflict when the
   * idempotency key was used for something else
   */
  async send(
    { target, fragment, signature }: ContractFunction,
    options: SendOptions,
    caller: Caller,
  ): Promise<SentTransaction> {
    const { network, contract } = target;
    const data = encodeCall(fragment, options.args, options.root);
    const call = this.#wantedCall(target, { caller: caller.name, function: signature, kind: 'send', data });
    const record = await network.transactions.submit({
      idempotencyKey: options.idempotencyKey,
      signer: options.from,
      to: contract.address,
      data,
      value: options.value ?? 0n,
      finality: network.finalityOf(undefined),
      abi: contract.abi,
      about: { contract: contract.name ?? contract.address, function: signature, args: options.args },
      origin: originOf(caller),
      ...(options.gas !== undefined && { gasLimit: options.gas }),
      ...(options.fees !== undefined && { fee: options.fees }),
      ...(call && { call }),
    });
    if (call) this.parts.recorder.tell();
    return await followTransaction(network, record, contract, options);
  }

  /** What {@link send} would do; nothing is stored. */
  async simulate(
    { target: { network, contract }, fragment, signature }: ContractFunction,
    options: Omit<SendOptions, 'idempotencyKey' | 'wait' | 'waitMs'>,
    caller: Caller,
  ): Promise<SimulationResult> {
    const { gas, output } = await network.transactions.simulate({
      signer: options.from,
      to: contract.address,
      data: encodeCall(fragment, options.args, options.root),
      value: options.value ?? 0n,
      abi: contract.abi,
      about: { contract: contract.name ?? contract.address, function: signature, args: options.args },
      origin: originOf(caller),
      ...(options.gas !== undefined && { gasLimit: options.gas }),
      ...(options.fees !== undefined && { fee: options.fees }),
    });
    return { gas, ...readAnswer(fragment, output) };
  }

  /** The call, if a flow waits for it. */
  #wantedCall(
    target: CallableContract,
    { data, ...call }: Pick<NewGatewayCall, 'caller' | 'function' | 'kind'> & { readonly data: string },
  ): NewGatewayCall | undefined {
    const { recorder } = this.parts;
    if (!recorder.isWanted(target, call.function, call.kind)) return undefined;
    return recorder.describe(target, { ...call, args: decodeCall(target.contract.abi, data)?.args ?? {} });
  }

  async #addressOf(from: string): Promise<string> {
    return isAddress(from) ? from : (await this.parts.signers.get(from)).address;
  }

  #callable(abi: Abi, functionRef: string): Callable {
    const known = this.#callables.get(abi) ?? new Map<string, Callable>();
    this.#callables.set(abi, known);
    // As it is compared: whoever adds spaces must not add entries.
    const key = functionRef.replaceAll(/\s/g, '');
    const found = known.get(key);
    if (found !== undefined) return found;
    const fragment = getFragment(abi, 'function', functionRef);
    const callable = { fragment, signature: signatureOf(fragment) };
    known.set(key, callable);
    return callable;
  }
}

function readAnswer(fragment: AbiFragment, answer: string): ReadResult {
  const outputs = decodeOutputs(fragment, answer);
  const values = Object.values(outputs);
  return { fragment, outputs, result: values.length === 1 ? values[0] : outputs };
}
