import {
  compileLogDecoder,
  decodeOutputs,
  encodeArguments,
  encodeCall,
  topicOf,
  type AbiFragment,
  type AbiParameter,
} from '#evm';
import { PatchbayError, z } from '#sdk';
import { checkedType, parseAbiCall, parseAbiList } from '../abi-text.js';
import { fromArguments, toArguments } from '../abi-value.js';
import { toList } from '../exact-json.js';
import type { Problem, TaskType } from '../task-type.js';
import { formatHex, fromPlain, refusal, toBytes, toText, type Value } from '../value.js';

export const ethabidecode: TaskType = {
  attributes: ['abi', 'data'],
  required: ['abi'],
  problems: (textOf) => problemsOf(textOf('abi'), parseAbiList),
  run({ params }) {
    const outputs = parseAbiList(toText(params.get('abi'), 'abi'));
    const data = formatHex(toBytes(params.getOrInput('data'), 'data'));
    try {
      return fromArguments(fromPlain(decodeOutputs({ type: 'function', outputs }, data)), outputs);
    } catch (cause) {
      throw new PatchbayError('oracle.answer', { detail: 'The data does not fit the abi', cause });
    }
  },
};

/** Of an indexed value that does not fit a topic there is only its hash. */
export const ethabidecodelog: TaskType = {
  attributes: ['abi', 'data', 'topics'],
  required: ['abi'],
  problems: (textOf) => problemsOf(textOf('abi'), parseAbiCall),
  run({ params }) {
    const { name, parameters } = parseAbiCall(toText(params.get('abi'), 'abi'));
    const event: AbiFragment = { type: 'event', name, inputs: parameters };
    const topics = toList(params.get('topics'), 'topics').map((topic) => formatHex(toBytes(topic, 'A topic')));
    if (topics[0] !== topicOf(event)) throw refusal(`The log is not one of ${name}`);
    const decoded = compileLogDecoder(event).decode({
      topics,
      data: formatHex(toBytes(params.getOrInput('data'), 'data')),
    });
    if (decoded.decodeError !== undefined) throw refusal(`The log does not fit the abi: ${decoded.decodeError}`);
    return fromArguments(fromPlain(decoded.args), parameters);
  },
};

export const ethabiencode: TaskType = {
  attributes: ['abi', 'data'],
  required: ['abi', 'data'],
  problems: (textOf) => problemsOf(textOf('abi'), parseAbiCall),
  run({ params }) {
    const { name, parameters } = parseAbiCall(toText(params.get('abi'), 'abi'));
    return encode(name, parameters, params.findJson('data') ?? null);
  },
};

/** The same with an ABI in JSON, which also has tuples. */
export const ethabiencode2: TaskType = {
  attributes: ['abi', 'data'],
  required: ['abi', 'data'],
  problems: (textOf) => problemsOf(textOf('abi'), parseAbiJson),
  run({ params }) {
    const { name, inputs } = parseAbiJson(toText(params.get('abi'), 'abi'));
    return encode(name, inputs, params.findJson('data') ?? null);
  },
};

interface JsonParameter {
  readonly name: string;
  readonly type: string;
  readonly components?: readonly JsonParameter[] | undefined;
}

const jsonParameter: z.ZodType<JsonParameter> = z.object({
  name: z.string(),
  type: z.string(),
  get components() {
    return z.array(jsonParameter).optional();
  },
});

const jsonAbi = z.object({ name: z.string().default(''), inputs: z.array(jsonParameter) });

function parseAbiJson(text: string): { readonly name: string; readonly inputs: readonly AbiParameter[] } {
  try {
    const { name, inputs } = jsonAbi.parse(JSON.parse(text));
    return { name, inputs: inputs.map(checkedParameter) };
  } catch (cause) {
    if (cause instanceof PatchbayError) throw cause;
    throw refusal(
      'The abi is not JSON with name and inputs',
      'Write it like {"name":"f","inputs":[{"name":"a","type":"uint256"}]}.',
    );
  }
}

function checkedParameter({ name, type, components }: JsonParameter): AbiParameter {
  if (!/^tuple(\[\d{0,6}\])*$/.test(type)) return { name, type: checkedType(type) };
  return { name, type, components: (components ?? []).map(checkedParameter) };
}

function encode(name: string, inputs: readonly AbiParameter[], data: Value): string {
  const values = toArguments(data, inputs, 'data');
  try {
    return name === '' ? encodeArguments(inputs, values) : encodeCall({ type: 'function', name, inputs }, values);
  } catch (error) {
    if (!(error instanceof PatchbayError) || error.code !== 'evm.arguments') throw error;
    throw new PatchbayError('oracle.answer', {
      detail: error.detail,
      ...(error.fix !== undefined && { fix: error.fix }),
      cause: error,
    });
  }
}

function problemsOf(abi: string | undefined, parse: (text: string) => unknown): readonly Problem[] {
  if (abi === undefined) return [];
  try {
    parse(abi);
    return [];
  } catch (error) {
    const { detail, fix } = PatchbayError.from(error);
    return [{ attribute: 'abi', detail: `${detail}.`, ...(fix !== undefined && { fix }) }];
  }
}
