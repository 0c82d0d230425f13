import { PatchbayError } from '#sdk';
import { argumentNames, signatureOf, topicOf, type AbiFragment, type AbiParameter } from './abi.js';
import { isHashed } from './abi-type.js';
import { word, type WriteValue } from './abi-values.js';
import { compileWriter } from './abi-writer.js';
import { Writing } from './abi-writing.js';
import { keccak256 } from './keccak.js';

/**
 * The topics that logs of the event have whose indexed arguments are as wished: for each argument a value, or a list of
 * values of which one must fit. A list is always a list of choices, so a value that is a list itself stands in one. Of
 * text, bytes, lists and structs the chain keeps the hash: they are given as they are, or as `{ hash }` like a decoded log
 * has it. Places after the last wish are left out.
 *
 * @throws evm.arguments with every fault at once; their pointers begin with `root`
 */
export function filterTopics(
  event: AbiFragment,
  where: Readonly<Record<string, unknown>>,
  root = '#/where',
): (string | string[] | null)[] {
  const writing = new Writing(root);
  const topics: (string | string[] | null)[] = event.anonymous ? [] : [topicOf(event)];
  const inputs = event.inputs ?? [];
  const names = argumentNames(inputs);
  for (const [index, input] of inputs.entries()) {
    const name = names[index]!;
    if (!input.indexed) continue;
    topics.push(Object.hasOwn(where, name) ? topicsOf(input, name, where[name], writing) : null);
  }
  for (const name of Object.keys(where)) {
    const index = names.indexOf(name);
    if (inputs[index]?.indexed) continue;
    writing.enterMember(name, name);
    const indexed = names.filter((_, place) => inputs[place]!.indexed).join(', ') || 'none';
    writing.refuse(index < 0 ? `is no argument; indexed are: ${indexed}` : `is not indexed; indexed are: ${indexed}`);
    writing.leave();
  }
  const [first] = writing.faults;
  if (first) {
    throw new PatchbayError('evm.arguments', {
      detail: `${signatureOf(event)}: ${first.detail}`,
      faults: writing.faults,
    });
  }
  while (topics.at(-1) === null) topics.pop();
  return topics;
}

function topicsOf(input: AbiParameter, name: string, value: unknown, writing: Writing): string | string[] {
  const writer = topicWriter(input);
  writing.enterMember(name, name);
  const topics = Array.isArray(value) ? choices(value, writer, writing) : writer(value, writing);
  writing.leave();
  return topics;
}

function choices(values: readonly unknown[], writer: WriteValue, writing: Writing): string[] {
  if (values.length === 0) writing.refuse('must be one of no values: leave it out to accept any');
  if (!writing.take(values.length)) return [];
  const topics = values.map((value, index) => {
    writing.enterElement(index);
    const topic = writer(value, writing);
    writing.leave();
    return topic;
  });
  return [...new Set(topics)];
}

function topicWriter(input: AbiParameter): WriteValue {
  const { encode, pack } = compileWriter(input);
  if (!isHashed(input)) return (value, writing) => `0x${encode(value, writing)}`;
  const isContent = input.type === 'string' || input.type === 'bytes';
  return (value, writing) => {
    const hash = hashIn(value);
    if (hash !== undefined) return hash;
    // By itself the content of text is hashed without the zeros that fill up its last word; as a part of something, with them.
    const digits = isContent ? contentOf(encode(value, writing)) : pack(value, writing);
    return keccak256(Buffer.from(digits, 'hex'));
  };
}

function contentOf(digits: string): string {
  return digits.slice(word, word + parseInt(digits.slice(0, word) || '0', 16) * 2);
}

function hashIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1 || !('hash' in value)) {
    return undefined;
  }
  const { hash } = value;
  return typeof hash === 'string' && /^0x[0-9a-fA-F]{64}$/.test(hash) ? hash.toLowerCase() : undefined;
}
