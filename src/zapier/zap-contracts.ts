import { argumentNames, signatureOf, type AbiFragment, type AbiParameter } from '#evm';
import { isRead, type ContractCalls, type ContractsService } from '#gateway';
import type { NetworksService } from '#networks';
import type { Caller, Signals } from '#platform';
import { PatchbayError, type HttpClient } from '#sdk';
import { zapierTopic } from './hook-sender.js';
import { flattened, isBig, type Item } from './items.js';
import type { SubscriptionsStore } from './subscriptions.store.js';
import { assertTarget, hashOf } from './zap-targets.js';
import type { Choice, FormField } from './zapier.schema.js';

export interface FunctionCall {
  readonly network?: string | undefined;
  readonly contract: string;
  readonly function: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface SendRequest extends FunctionCall {
  readonly signer: string;
  readonly key: string;
  readonly callbackUrl?: string | undefined;
}

/** Contracts as the forms of Zapier show them: drop-downs, fields made of the ABI, and calls. */
export class ZapContracts {
  constructor(
    private readonly parts: {
      readonly networks: NetworksService;
      readonly contracts: ContractsService;
      readonly calls: ContractCalls;
      readonly subscriptions: SubscriptionsStore;
      readonly http: HttpClient;
      readonly signals: Signals;
    },
  ) {}

  networks(): Choice[] {
    return this.parts.networks.list().map(({ name, settings }) => ({
      id: name,
      name: `${name} (chain ${String(settings['chainId'])})`,
    }));
  }

  /** By name where there is one. */
  async contracts(networkName: string | undefined): Promise<Choice[]> {
    const network = await this.parts.networks.get(networkName);
    const known = await this.parts.contracts.list(network.name);
    const choices = known
      .filter(({ state }) => state === 'deployed')
      .map(({ name, address }) => ({
        id: name ?? address,
        name: name === undefined ? address : `${name} (${address})`,
      }));
    return [...new Map(choices.map((choice) => [choice.id, choice])).values()];
  }

  async events(contract: string, network: string | undefined): Promise<Choice[]> {
    const { abi } = await this.#resolve(contract, network);
    return choicesOf(abi.filter(({ type, anonymous }) => type === 'event' && anonymous !== true));
  }

  async functions(contract: string, network: string | undefined, kind: 'read' | 'send' = 'read'): Promise<Choice[]> {
    const { abi } = await this.#resolve(contract, network);
    const ofKind = abi.filter((one) => one.type === 'function' && isRead(one) === (kind === 'read'));
    return choicesOf(ofKind);
  }

  /** One for each argument; big numbers are text, and lists one line for each element. */
  async fields(at: {
    readonly network?: string | undefined;
    readonly contract: string;
    readonly function: string;
  }): Promise<FormField[]> {
    const { fragment } = await this.parts.calls.find(at.contract, at.function, where(at.network));
    const inputs = fragment.inputs ?? [];
    return argumentNames(inputs).map((name, index) => fieldOf(name, inputs[index]!));
  }

  /** Asks the chain; nothing on it changes. @throws evm.arguments, evm.reverted, request.invalid when it would change something */
  async read(call: FunctionCall, caller: Caller): Promise<Item> {
    const found = await this.parts.calls.find(call.contract, call.function, where(call.network));
    const { target, fragment } = found;
    if (!isRead(fragment)) {
      throw new PatchbayError('request.invalid', {
        detail: `${signatureOf(fragment)} changes the chain; it cannot only be read.`,
        fix: 'Let a flow do it, and run the flow.',
      });
    }
    const { outputs } = await this.parts.calls.call(found, { args: argumentsOf(fragment, call.args) }, caller);
    return {
      id: `${target.network.chainId}:${target.contract.address}:${signatureOf(fragment)}`,
      network: target.network.name,
      contract: target.contract.name ?? target.contract.address,
      function: signatureOf(fragment),
      ...flattened(outputs, 'result'),
    };
  }

  /**
   * Sends a transaction; the limits of key and signer decide whether. The same key sends nothing new. The callback is told
   * once the transaction is final.
   *
   * @throws evm.arguments, evm.limit, evm.reverted, target.forbidden
   */
  async send(call: SendRequest, caller: Caller): Promise<Item> {
    const { calls, http, subscriptions, signals } = this.parts;
    const { callbackUrl } = call;
    if (callbackUrl !== undefined) await assertTarget(callbackUrl, http);
    const found = await calls.find(call.contract, call.function, where(call.network));
    const { target, fragment } = found;
    const options = {
      args: argumentsOf(fragment, call.args),
      from: call.signer,
      idempotencyKey: `zapier:${call.key}`,
    };
    const { record } = await calls.send(found, options, caller);
    if (callbackUrl !== undefined) {
      await subscriptions.add({
        hash: hashOf([callbackUrl, 'transaction_final', record.id]),
        trigger: 'transaction_final',
        topic: record.id,
        input: {},
        awaits: record.id,
        targetUrl: callbackUrl,
        inBatch: false,
        cursor: null,
        createdBy: caller.name,
      });
      signals.publish(zapierTopic, null);
    }
    return {
      id: record.id,
      transaction_id: record.id,
      status: record.status,
      network: target.network.name,
      contract: target.contract.name ?? target.contract.address,
      function: signatureOf(fragment),
    };
  }

  async #resolve(contract: string, network: string | undefined): Promise<{ readonly abi: readonly AbiFragment[] }> {
    return (await this.parts.contracts.resolve(contract, where(network))).contract;
  }
}

function where(network: string | undefined): { network?: string } {
  return network === undefined ? {} : { network };
}

/** By name; where names repeat, by signature. */
function choicesOf(fragments: readonly AbiFragment[]): Choice[] {
  return fragments.map((fragment) => {
    const signature = signatureOf(fragment);
    const isUnique = fragments.filter(({ name }) => name === fragment.name).length === 1;
    return { id: isUnique ? (fragment.name ?? signature) : signature, name: signature };
  });
}

function fieldOf(name: string, parameter: AbiParameter): FormField {
  const isList = parameter.type.endsWith(']') && !parameter.type.startsWith('tuple') && !parameter.type.includes('][');
  const element = isList ? parameter.type.slice(0, parameter.type.lastIndexOf('[')) : parameter.type;
  const isNested = element.startsWith('tuple') || element.endsWith(']');
  return {
    key: `arg_${name}`,
    label: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    type: element === 'bool' ? 'boolean' : isNested ? 'text' : 'string',
    required: !isList,
    helpText: isNested
      ? `As JSON, for ${parameter.type}.`
      : isBig({ type: element })
        ? `A whole number (${element}), in the smallest unit.`
        : `Type ${element}.`,
    ...(isList && { list: true }),
  };
}

/** Without the prefix of their fields; what is nested comes as JSON. */
function argumentsOf({ inputs = [] }: AbiFragment, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = argumentNames(inputs);
  const args: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const name = key.startsWith('arg_') && !names.includes(key) ? key.slice('arg_'.length) : key;
    args[name] = valueOf(name, inputs[names.indexOf(name)], value);
  }
  for (const [index, name] of names.entries()) {
    // An empty list is a field that was left out.
    if (!Object.hasOwn(args, name) && inputs[index]?.type.endsWith(']') === true) args[name] = [];
  }
  return args;
}

function valueOf(name: string, parameter: AbiParameter | undefined, value: unknown): unknown {
  if (typeof value !== 'string' || parameter === undefined) return value;
  const isNested = parameter.type.startsWith('tuple') || parameter.type.endsWith(']');
  if (!isNested) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch (cause) {
    throw new PatchbayError('evm.arguments', {
      detail: `${name} must be JSON, because its type is ${parameter.type}`,
      faults: [{ pointer: `#/args/${name}`, detail: 'It is no JSON' }],
      cause,
    });
  }
}
