import type { FastifyReply } from 'fastify';
import { signatureOf, type AbiFragment, type AbiParameter } from '#evm';
import {
  blockParameter,
  checked,
  readUpload,
  type ContractCalls,
  type ContractFunction,
  type DeploymentsService,
  type Upload,
  type UploadsService,
} from '#gateway';
import type { Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { addressLike, wholeNumber, type FlyParameters } from './fly-parameters.js';
import { assertScopes, sending, type OldCalls } from './old-calls.js';
import { namedOutputs, oldValue } from './old-values.js';

const text = z.union([z.string(), z.number().transform(String)]);
export const parameter: z.ZodType<AbiParameter> = z.lazy(() =>
  z.looseObject({ name: z.string().default(''), type: z.string(), components: z.array(parameter).optional() }),
) as z.ZodType<AbiParameter>;
const method = z.looseObject({
  name: z.string().min(1),
  inputs: z.array(parameter).default([]),
  outputs: z.array(parameter).default([]),
  stateMutability: z.string().optional(),
});

const shared = {
  from: z.string().optional(),
  value: text.optional(),
  gas: text.optional(),
  gasPrice: text.optional(),
  params: z.array(z.unknown()).default([]),
  network: z.string().optional(),
  nonce: z.never('the hub gives the nonces itself; leave it out').optional(),
  privateFrom: z.never('private transactions are not offered').optional(),
  privateFor: z.never('private transactions are not offered').optional(),
  privacyGroupId: z.never('private transactions are not offered').optional(),
};
const headersOf = <Type extends string>(type: Type) =>
  z.looseObject({ type: z.literal(type), id: z.string().min(1).max(200).optional() });
const called = { to: z.string(), method: method.optional(), methodName: z.string().optional() };

export const message = z.union([
  z.looseObject({ headers: headersOf('SendTransaction'), ...shared, ...called }),
  z.looseObject({ headers: headersOf('Query'), ...shared, ...called, blockNumber: text.optional() }),
  z.looseObject({
    headers: headersOf('DeployContract'),
    ...shared,
    solidity: z.string().optional(),
    compiled: z.string().optional(),
    abi: z.array(z.unknown()).optional(),
    compilerVersion: z.string().optional(),
    evmVersion: z.string().optional(),
    contractName: z.string().optional(),
    registerAs: z.string().optional(),
  }),
]);

type Message = z.output<typeof message>;
type MessageOf<Type extends string> = Extract<Message, { headers: { type: Type } }>;
type Values = Readonly<Record<string, unknown>>;

const types = ['SendTransaction', 'DeployContract', 'Query'] as const;

/** Messages that say what is wanted by `headers.type`, as they came by webhook or Kafka. */
export class Messages {
  constructor(
    private readonly parts: {
      readonly calls: ContractCalls;
      readonly uploads: UploadsService;
      readonly deployments: DeploymentsService;
      readonly old: OldCalls;
    },
  ) {}

  async take(given: unknown, caller: Caller, reply: FastifyReply): Promise<Values> {
    const body = readMessage(given);
    switch (body.headers.type) {
      case 'Query':
        return await this.#query(body as MessageOf<'Query'>, caller);
      case 'SendTransaction':
        return await this.#send(body as MessageOf<'SendTransaction'>, caller, reply);
      case 'DeployContract':
        return await this.#deploy(body as MessageOf<'DeployContract'>, caller, reply);
    }
  }

  async #query(body: MessageOf<'Query'>, caller: Caller): Promise<Values> {
    const { fragment, args } = callOf(body);
    const fly = parametersOf(body);
    const { outputs } = await this.parts.calls.call(
      await this.#find(body, fragment),
      {
        args,
        root: '#/params',
        block: blockParameter(body.blockNumber),
        ...(fly.from !== undefined && { from: fly.from }),
      },
      caller,
    );
    return namedOutputs(fragment.outputs ?? [], outputs);
  }

  async #send(body: MessageOf<'SendTransaction'>, caller: Caller, reply: FastifyReply): Promise<Values> {
    assertScopes(caller, ['chain:send']);
    const { fragment, args } = callOf(body);
    const fly = parametersOf(body);
    const sent = await this.parts.calls.send(
      await this.#find(body, fragment),
      { ...sending(fly, caller), args, root: '#/params' },
      caller,
    );
    return await this.#accepted(sent, reply);
  }

  #find(
    { to, network }: MessageOf<'SendTransaction'> | MessageOf<'Query'>,
    fragment: AbiFragment,
  ): Promise<ContractFunction> {
    return this.parts.calls.find(addressLike(to), signatureOf(fragment), {
      abi: [fragment],
      ...(network !== undefined && { network }),
    });
  }

  async #deploy(body: MessageOf<'DeployContract'>, caller: Caller, reply: FastifyReply): Promise<Values> {
    assertScopes(caller, ['chain:send', 'contracts:write']);
    const fly = parametersOf(body);
    const options = {
      ...(body.contractName !== undefined && {
        contract: body.contractName,
        name: body.contractName.split(':').at(-1),
      }),
      ...(body.compilerVersion !== undefined && { compiler: body.compilerVersion }),
      ...(body.evmVersion !== undefined && { evm: body.evmVersion }),
    };
    const upload = await uploadOf(body);
    const { contract: _, ...ready } = options;
    const { known } = await this.parts.uploads.register(upload, upload.kind === 'artefacts' ? ready : options, caller);
    const sent = await this.parts.deployments.deploy(
      known.name,
      {
        ...sending(fly, caller),
        version: known.version,
        args: body.params.map(plainValue),
        root: '#/params',
        ...(body.registerAs !== undefined && { name: body.registerAs }),
        ...(fly.network !== undefined && { network: fly.network }),
      },
      caller,
    );
    return await this.#accepted(sent, reply);
  }

  /** Old gateways answered 200 to what they had only taken. */
  async #accepted(sent: Parameters<OldCalls['answer']>[0], reply: FastifyReply): Promise<Values> {
    const answer = await this.parts.old.answer(sent, { isSync: false }, reply);
    reply.status(200);
    return answer;
  }
}

/** With the faults of the type that is meant, not of all of them. */
function readMessage(given: unknown): Message {
  const { headers } = checked(z.looseObject({ headers: z.looseObject({ type: z.enum(types) }) }), given);
  const schema = message.options[{ SendTransaction: 0, Query: 1, DeployContract: 2 }[headers.type]] ?? message;
  return checked(schema as z.ZodType<Message>, given);
}

function callOf({ method: declared, methodName, params }: MessageOf<'SendTransaction'> | MessageOf<'Query'>): {
  fragment: AbiFragment;
  args: unknown[];
} {
  if (declared !== undefined) {
    const { name, inputs, outputs, stateMutability } = declared;
    const fragment = {
      type: 'function',
      name,
      inputs,
      outputs,
      ...(stateMutability !== undefined && { stateMutability }),
    };
    const args = params.map((value, index) => (inputs[index] ? oldValue(inputs[index], plainValue(value)) : value));
    return { fragment, args };
  }
  if (methodName === undefined)
    throw fault('#/method', 'It must be said which method is meant, by method or methodName');
  const typed = params.map((value, index) => {
    if (isTyped(value)) return value;
    throw fault(`#/params/${index}`, 'Without the ABI of the method it must be { type, value }');
  });
  const inputs = typed.map(({ type }) => ({ name: '', type }));
  return {
    fragment: { type: 'function', name: methodName, inputs, outputs: [] },
    args: typed.map(({ type, value }) => oldValue({ type }, value)),
  };
}

function parametersOf(body: Message): FlyParameters {
  const number = (name: 'value' | 'gas' | 'gasPrice'): bigint | undefined => {
    const written = body[name];
    const read = written === undefined || written === '' ? undefined : wholeNumber(written);
    if (read === null) throw fault(`#/${name}`, 'Must be a whole number that is not negative');
    return read;
  };
  return {
    from: addressLike(body.from),
    isSync: false,
    isCall: false,
    id: body.headers.id,
    register: undefined,
    value: number('value'),
    gas: number('gas'),
    gasPrice: number('gasPrice'),
    block: undefined,
    transaction: undefined,
    network: body.network,
  };
}

async function uploadOf({ solidity, compiled, abi }: MessageOf<'DeployContract'>): Promise<Upload> {
  if (solidity !== undefined) return { kind: 'sources', files: new Map([['Contract.sol', solidity]]) };
  if (compiled === undefined || abi === undefined) throw fault('#/solidity', 'Give solidity, or compiled with abi');
  const isHex = /^(0x)?([0-9a-f]{2})+$/i.test(compiled);
  const bytecode = isHex ? compiled : `0x${Buffer.from(compiled, 'base64').toString('hex')}`;
  return await readUpload({ json: { abi, bytecode } });
}

function isTyped(value: unknown): value is { type: string; value: unknown } {
  return (
    typeof value === 'object' && value !== null && 'value' in value && 'type' in value && typeof value.type === 'string'
  );
}

/** The type may stand beside a value also where the ABI is given. */
function plainValue(value: unknown): unknown {
  return isTyped(value) && Object.keys(value).length === 2 ? value.value : value;
}

function fault(pointer: string, detail: string): PatchbayError {
  return new PatchbayError('request.invalid', {
    detail: `${pointer.slice(2)}: ${detail}`,
    faults: [{ pointer, detail }],
  });
}
