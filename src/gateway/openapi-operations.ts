import {
  argumentNames,
  argumentsSchema,
  resultSchema,
  signatureOf,
  type Abi,
  type AbiFragment,
  type AbiParameter,
  type JsonSchema,
} from '#evm';
import { isRead, optionPrefix } from './call-request.js';
import type { ContractDocs } from './compile/compiled.js';
import { fragmentsOf, natSpecOf, writtenSignature, type NatSpec } from './natspec.js';
import { exampleArguments, exampleOf } from './openapi-examples.js';
import {
  decimal,
  eventQuery,
  readOptions,
  readQuery,
  sendHeaders,
  sendOptions,
  type Json,
  type Option,
} from './openapi-options.js';

/** What the operations of one contract have in common. */
export interface Subject {
  readonly abi: Abi;
  readonly docs: ContractDocs | undefined;
  /** E.g. `/api/contracts/escrow`. */
  readonly base: string;
  /** In front of every id, so that those of several contracts differ. */
  readonly idPrefix: string;
  readonly tag: string;
  /** Of every operation, e.g. the address in the path. */
  readonly parameters: readonly Json[];
  /** Options that every call of this contract must or may carry in its query. */
  readonly query: readonly Option[];
}

/** Words in the place of a function that mean something else; such a function is reached by its signature. */
export const reservedFunctions: ReadonlySet<string> = new Set(['verify']);

const key = [{ key: [] }];
const problem = {
  description: 'What went wrong',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** Every function and event of a contract, as routes. */
export function contractPaths(subject: Subject): Record<string, Json> {
  const paths: Record<string, Json> = {};
  const functions = fragmentsOf(subject.abi, 'function');
  const names = new Names(subject.idPrefix);
  for (const fragment of functions) {
    const isOverloaded = functions.filter(({ name }) => name === fragment.name).length > 1;
    const place = isOverloaded || reservedFunctions.has(fragment.name ?? '') ? signatureOf(fragment) : fragment.name;
    const id = names.idOf(fragment, isOverloaded);
    const spoken = spokenOf(subject, fragment);
    paths[`${subject.base}/${encodeURIComponent(place ?? '')}`] = isRead(fragment)
      ? {
          get: readOperation(subject, spoken, id),
          post: readByBody(subject, spoken, names.own(`${id}_post`)),
        }
      : { post: sendOperation(subject, spoken, id) };
  }
  const events = fragmentsOf(subject.abi, 'event').filter(({ anonymous }) => anonymous !== true);
  for (const event of events) {
    const isOverloaded = events.filter(({ name }) => name === event.name).length > 1;
    const place = isOverloaded ? signatureOf(event) : (event.name ?? '');
    const id = names.own(`events_${isOverloaded ? flat(signatureOf(event)) : place}`);
    paths[`${subject.base}/events/${encodeURIComponent(place)}`] = { get: eventOperation(subject, event, id) };
  }
  return paths;
}

/** How an instance comes to be. */
export function deployOperation(subject: Subject): Json {
  const [fragment = { type: 'constructor' }] = fragmentsOf(subject.abi, 'constructor');
  const spoken = spokenOf(subject, fragment);
  return {
    operationId: `${subject.idPrefix}deploy`,
    ...wording('Deploys an instance', spoken, 'chain:send'),
    tags: [subject.tag],
    security: key,
    parameters: [...sendHeaders, ...subject.parameters],
    requestBody: body(
      {
        ...sendOptions(fragment),
        name: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]*$', description: 'Under which it is then called' },
        network: { type: 'string', description: 'Default: the default network' },
        version: { type: 'integer', minimum: 1, description: 'Of the interface; the newest when it is not given' },
        libraries: {
          type: 'object',
          additionalProperties: { type: 'string' },
          description: 'Addresses of libraries by their names',
        },
      },
      spoken,
      ['from'],
    ),
    responses: sendResponses({ $ref: '#/components/schemas/Sent' }),
  };
}

/** One function in all its words, each found once. */
interface Spoken {
  readonly fragment: AbiFragment;
  readonly spec: NatSpec;
  readonly args: JsonSchema;
  readonly answer: JsonSchema;
}

function spokenOf({ docs }: Subject, fragment: AbiFragment): Spoken {
  const spec = natSpecOf(docs, fragment);
  const args = argumentsSchema(fragment.inputs ?? [], spec.params);
  return { fragment, spec, args, answer: readAnswer(fragment, spec) };
}

class Names {
  readonly #used = new Set<string>();

  constructor(private readonly prefix: string) {}

  idOf(fragment: AbiFragment, isOverloaded: boolean): string {
    return this.own(isOverloaded ? flat(signatureOf(fragment)) : (fragment.name ?? ''));
  }

  /** Different signatures can be flattened to the same text. */
  own(wanted: string): string {
    const plain = wanted.startsWith(this.prefix) ? wanted : `${this.prefix}${wanted}`;
    let name = plain;
    for (let count = 2; this.#used.has(name); count += 1) name = `${plain}_${count}`;
    this.#used.add(name);
    return name;
  }
}

/** `transfer(address,uint256[2])` as an identifier. */
function flat(signature: string): string {
  return signature
    .replaceAll('[]', 's')
    .replaceAll(/[^A-Za-z0-9$]+/g, '_')
    .replace(/_$/, '');
}

function readOperation(subject: Subject, spoken: Spoken, operationId: string): Json {
  const inputs = spoken.fragment.inputs ?? [];
  const names = argumentNames(inputs);
  const properties = propertiesOf(spoken.args);
  return {
    operationId,
    ...wording('Reads', spoken, 'chain:read'),
    tags: [subject.tag],
    security: key,
    parameters: [
      ...subject.parameters,
      ...inputs.map((input, index) =>
        inputParameter(input, names[index] ?? '', (properties[names[index] ?? ''] ?? {}) as JsonSchema),
      ),
      ...queryParameters(subject, names, readQuery),
    ],
    responses: { 200: jsonAnswer('What the contract answers', spoken.answer), default: problem },
  };
}

function readByBody(subject: Subject, spoken: Spoken, operationId: string): Json {
  return {
    operationId,
    ...wording('Reads, with the inputs in the body', spoken, 'chain:read'),
    tags: [subject.tag],
    security: key,
    parameters: [...subject.parameters, ...queryParameters(subject, [], [])],
    requestBody: body(readOptions, spoken, []),
    responses: { 200: jsonAnswer('What the contract answers', spoken.answer), default: problem },
  };
}

function sendOperation(subject: Subject, spoken: Spoken, operationId: string): Json {
  const { fragment, answer } = spoken;
  const simulation = {
    type: 'object',
    title: 'Simulation',
    properties: { gas: decimal('Estimated'), ...propertiesOf(answer) },
    required: ['gas', 'result'],
  };
  return {
    operationId,
    ...wording('Sends', spoken, 'chain:send'),
    tags: [subject.tag],
    security: key,
    parameters: [...sendHeaders, ...subject.parameters, ...queryParameters(subject, [], [])],
    requestBody: body(
      { ...sendOptions(fragment), simulate: { type: 'boolean', description: 'Only ask what would happen' } },
      spoken,
      ['from'],
    ),
    responses: sendResponses({ oneOf: [{ $ref: '#/components/schemas/Sent' }, simulation] }),
  };
}

function eventOperation(subject: Subject, event: AbiFragment, operationId: string): Json {
  const inputs = event.inputs ?? [];
  const names = argumentNames(inputs);
  const spec = natSpecOf(subject.docs, event);
  const { properties } = argumentsSchema(
    inputs.map((input) => ({ ...input, indexed: false })),
    spec.params,
  ) as { properties: Record<string, JsonSchema> };
  const indexed = inputs.flatMap((input, index) => {
    const name = names[index] ?? '';
    if (input.indexed !== true || isComplex(input)) return [];
    return [{ name, in: 'query', required: false, schema: properties[name] ?? {} }];
  });
  const item = {
    allOf: [
      { $ref: '#/components/schemas/ContractEvent' },
      { type: 'object', properties: { args: resultSchema(inputs, spec.params) }, required: ['args'] },
    ],
  };
  return {
    operationId,
    ...wording('Lists past events', { fragment: event, spec }, 'chain:read'),
    tags: [subject.tag],
    security: key,
    parameters: [
      ...subject.parameters,
      ...indexed,
      ...queryParameters(
        subject,
        indexed.map(({ name }) => name),
        eventQuery,
      ),
    ],
    responses: {
      200: jsonAnswer('Oldest first', {
        type: 'object',
        properties: {
          events: { type: 'array', items: item },
          cursor: { type: 'string', description: 'To go on with; absent at the end' },
        },
        required: ['events'],
      }),
      default: problem,
    },
  };
}

/** Lists of plain values repeat their name; what is deeper is JSON text. */
function inputParameter(input: AbiParameter, name: string, schema: JsonSchema): Json {
  if (!isComplex(input)) return { name, in: 'query', required: true, schema, example: exampleOf(input) };
  const text = {
    type: 'string',
    contentMediaType: 'application/json',
    contentSchema: schema,
    description: `${String(schema['description'])}, as JSON text`,
  };
  return { name, in: 'query', required: true, schema: text, example: JSON.stringify(exampleOf(input)) };
}

function isComplex({ type }: AbiParameter): boolean {
  return type.startsWith('tuple') || /\]\[/.test(type);
}

/** An option with the name of an input has `pb-` in front; see `splitQuery`. */
function queryParameters(subject: Subject, inputs: readonly string[], options: readonly Option[]): Json[] {
  return [...options, ...subject.query].map(({ name, required, schema }) => ({
    name: inputs.includes(name) ? `${optionPrefix}${name}` : name,
    in: 'query',
    required,
    schema,
  }));
}

function body(options: Json, { fragment, args }: Spoken, required: readonly string[]): Json {
  const inputs = fragment.inputs ?? [];
  const needsArguments = inputs.length > 0;
  return {
    required: required.length > 0 || needsArguments,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          properties: { args, ...options },
          required: [...(needsArguments ? ['args'] : []), ...required],
          additionalProperties: false,
        },
        example: {
          ...(needsArguments && { args: exampleArguments(inputs) }),
          ...(required.includes('from') && { from: 'treasury' }),
        },
      },
    },
  };
}

function readAnswer(fragment: AbiFragment, spec: NatSpec): JsonSchema {
  const outputs = fragment.outputs ?? [];
  const names = argumentNames(outputs);
  const texts = Object.fromEntries(
    names.flatMap((name, index) => {
      const text = spec.returns[name] ?? spec.returns[`_${index}`];
      return text === undefined ? [] : [[name, text]];
    }),
  );
  const all = resultSchema(outputs, texts);
  const only = outputs.length === 1 ? propertiesOf(all)[names[0] ?? ''] : undefined;
  return { type: 'object', properties: { result: only ?? all }, required: ['result'] };
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, unknown>> {
  return schema['properties'] as Readonly<Record<string, unknown>>;
}

function wording(verb: string, { fragment, spec }: Pick<Spoken, 'fragment' | 'spec'>, scope: string): Json {
  const { notice, details } = spec;
  const signature = writtenSignature(fragment);
  const texts = [notice, details, `\`${signature}\``, `${verb}. Needs the scope ${scope}.`];
  return {
    summary: notice?.split(/(?<=\.)\s/, 1)[0] ?? signature,
    description: texts.filter((text) => text !== undefined).join('\n\n'),
  };
}

function jsonAnswer(description: string, schema: JsonSchema): Json {
  return { description, content: { 'application/json': { schema } } };
}

function sendResponses(schema: JsonSchema): Json {
  return {
    200: jsonAnswer('As far as `wait` asks, or the simulation', schema),
    202: jsonAnswer('Stored with its nonce; it will be sent whatever happens', { $ref: '#/components/schemas/Sent' }),
    409: { ...problem, description: 'The idempotency key was used for something else, or the sender may not send now' },
    422: { ...problem, description: 'An argument does not fit, or the contract refuses the call' },
    default: problem,
  };
}
