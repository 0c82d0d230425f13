import { Contract, Interface, JsonRpcProvider, isCallException } from 'ethers';
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  decodeEventLog,
  encodeFunctionData,
  http,
  type Abi as ViemAbi,
  type Address,
  type Hex,
  type SimulateContractParameters,
} from 'viem';
import { signatureOf, type Abi, type AbiFragment, type AbiParameter } from '#evm';
import { DevChain } from '../../src/evm/testing/dev-chain.js';

/** What came of asking a function: in the shapes of the hub, or in the words of the contract. */
export type Outcome = { readonly result: unknown } | { readonly revert: string };

export interface AskedFunction {
  readonly address: string;
  readonly abi: Abi;
  readonly fragment: AbiFragment;
  /** In order, as both take them: whole numbers as bigint, structs as objects. */
  readonly args: readonly unknown[];
  readonly from?: string;
  readonly value?: bigint;
}

export interface EmittedEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly logIndex: number;
}

/** What viem and ethers say about the same chain, put into the shapes of the hub. */
export class OtherClients {
  readonly #viem;
  readonly #ethers: JsonRpcProvider;

  constructor(url: string) {
    this.#viem = createPublicClient({ transport: http(url) });
    this.#ethers = new JsonRpcProvider(url, DevChain.chainId, { staticNetwork: true });
  }

  close(): void {
    this.#ethers.destroy();
  }

  /** Of both, which encode alike or are no witnesses. */
  callData({ abi, fragment, args }: Pick<AskedFunction, 'abi' | 'fragment' | 'args'>): {
    viem: string;
    ethers: string;
  } {
    return {
      viem: encodeFunctionData({ abi: viemAbi([fragment]), functionName: fragment.name!, args: [...args] }),
      ethers: interfaceOf(abi).encodeFunctionData(signatureOf(fragment), args),
    };
  }

  async viemSays({ address, abi, fragment, args, from, value }: AskedFunction): Promise<Outcome> {
    // Only this function, because viem chooses among overloads by the values.
    const chosen = viemAbi([fragment, ...abi.filter(({ type }) => type === 'error')]);
    const call = { address: address as Address, abi: chosen, functionName: fragment.name!, args: [...args] };
    try {
      const answer: unknown = isRead(fragment)
        ? await this.#viem.readContract(call)
        : // Its types want an ABI that is known when the test is compiled.
          (
            await this.#viem.simulateContract({
              ...call,
              ...(from !== undefined && { account: from as Address }),
              ...(value !== undefined && { value }),
            } as unknown as SimulateContractParameters)
          ).result;
      const { length } = fragment.outputs ?? [];
      return resultOf(fragment, length === 0 ? [] : length === 1 ? [answer] : answer);
    } catch (error) {
      const reverted =
        error instanceof BaseError ? error.walk((cause) => cause instanceof ContractFunctionRevertedError) : undefined;
      if (!(reverted instanceof ContractFunctionRevertedError)) throw error;
      return { revert: wordsOf(abi, reverted.data?.errorName, reverted.data?.args ?? [], reverted.raw) };
    }
  }

  async ethersSays({ address, abi, fragment, args, from, value }: AskedFunction): Promise<Outcome> {
    const call = new Contract(address, interfaceOf(abi), this.#ethers).getFunction(signatureOf(fragment));
    try {
      const answer = await call.staticCallResult(...args, { from, value });
      return resultOf(fragment, answer);
    } catch (error) {
      if (!isCallException(error) || (error.data ?? undefined) === undefined) throw error;
      return { revert: wordsOf(abi, error.revert?.name, error.revert?.args ?? [], error.data) };
    }
  }

  /** Everything that the contract has emitted in a transaction, except what is anonymous. */
  async eventsOf(hash: string, address: string, abi: Abi): Promise<{ viem: EmittedEvent[]; ethers: EmittedEvent[] }> {
    const { logs } = await this.#viem.getTransactionReceipt({ hash: hash as Hex });
    const byEthers = interfaceOf(abi);
    const own = logs.flatMap((log) => {
      const parsed = log.address === address ? byEthers.parseLog(log) : null;
      const signature = parsed?.fragment.format();
      const event = abi.find((one) => one.type === 'event' && signatureOf(one) === signature);
      return parsed && event ? [{ log, parsed, inputs: event.inputs ?? [] }] : [];
    });
    return {
      viem: own.map(({ log: { data, topics, logIndex }, inputs }) => {
        const { eventName: name = '', args = [] } = decodeEventLog({ abi: viemAbi(abi), data, topics });
        return { name, args: shownTuple(inputs, args), logIndex };
      }),
      ethers: own.map(({ log: { logIndex }, parsed: { name, args }, inputs }) => {
        return { name, args: shownTuple(inputs, args), logIndex };
      }),
    };
  }

  /** Arguments of all events of one kind that the contract has emitted, oldest first, as viem finds them. */
  async pastEvents(address: string, event: AbiFragment): Promise<unknown[]> {
    const logs = await this.#viem.getContractEvents({
      address: address as Address,
      abi: viemAbi([event]),
      fromBlock: 0n,
      strict: true,
    });
    return logs.map((log) => shownTuple(event.inputs ?? [], 'args' in log ? log.args : []));
  }

  /** What the chain got. */
  async sentData(hash: string): Promise<string> {
    return (await this.#viem.getTransaction({ hash: hash as Hex })).input;
  }
}

export function isRead({ stateMutability }: AbiFragment): boolean {
  return stateMutability === 'view' || stateMutability === 'pure';
}

function viemAbi(fragments: readonly AbiFragment[]): ViemAbi {
  return fragments as unknown as ViemAbi;
}

const interfaces = new WeakMap<Abi, Interface>();

function interfaceOf(abi: Abi): Interface {
  const known = interfaces.get(abi) ?? new Interface(abi);
  interfaces.set(abi, known);
  return known;
}

function resultOf({ outputs = [] }: AbiFragment, answer: unknown): Outcome {
  const shown = shownTuple(outputs, answer);
  return { result: outputs.length === 1 ? Object.values(shown)[0] : shown };
}

function shownTuple(parameters: readonly AbiParameter[], values: unknown): Record<string, unknown> {
  return Object.fromEntries(
    parameters.map((parameter, index) => {
      const value = Array.isArray(values)
        ? (values as unknown[])[index]
        : (values as Readonly<Record<string, unknown>>)[parameter.name ?? ''];
      return [parameter.name || `arg${index}`, shown(parameter, value)];
    }),
  );
}

function shown(parameter: AbiParameter, value: unknown): unknown {
  const { type, indexed, components = [] } = parameter;
  const isHashed = indexed === true && /^(string|bytes|tuple.*|.*\])$/.test(type);
  if (isHashed) return { hash: hashOf(value) };
  const element = /^(.*)\[\d*\]$/.exec(type)?.[1];
  if (element !== undefined) {
    return Array.from(value as readonly unknown[], (item) => shown({ type: element, components }, item));
  }
  if (type === 'tuple') return shownTuple(components, value);
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  return typeof value === 'string' && type !== 'string' ? value.toLowerCase() : value;
}

/** ethers wraps the hash. */
function hashOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'hash' in value ? value.hash : value;
}

/** By decimal code. */
const panics: Readonly<Record<string, string>> = {
  '1': 'an assertion failed',
  '17': 'an arithmetic operation overflowed',
  '18': 'a division by zero',
  '33': 'a value is no member of its enum',
  '50': 'an index is out of bounds',
};

function wordsOf(abi: Abi, name: string | undefined, args: readonly unknown[], data: string | null = '0x'): string {
  if (name === undefined && (data ?? '0x') === '0x') return 'no reason was given';
  // Of another contract that was called from there: the words of the node are all there is.
  if (name === undefined) return `custom error ${String(data).slice(0, 10)}: ${String(data).slice(10)}`;
  if (name === 'Error') return String(args[0]);
  if (name === 'Panic') return panics[String(args[0])] ?? `panic ${String(args[0])}`;
  const error = abi.find((fragment) => fragment.type === 'error' && fragment.name === name);
  const values = Object.entries(shownTuple(error?.inputs ?? [], args));
  return `${name}(${values.map(([argument, value]) => `${argument}: ${JSON.stringify(value)}`).join(', ')})`;
}
