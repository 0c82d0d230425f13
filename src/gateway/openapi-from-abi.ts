import type { Abi } from '#evm';
import type { ContractDocs } from './compile/compiled.js';
import { contractNotes } from './natspec.js';
import { contractPaths, deployOperation, type Subject } from './openapi-operations.js';
import type { Json } from './openapi-options.js';

export interface DescribedContract {
  /** As it is addressed: its name, or its address. */
  readonly reference: string;
  readonly address: string;
  readonly network: string;
  /** Calls without a network reach it. */
  readonly isOnDefaultNetwork: boolean;
  readonly abi: Abi;
  readonly docs: ContractDocs | undefined;
}

export interface DescribedInterface {
  readonly name: string;
  readonly version: number;
  readonly abi: Abi;
  readonly docs: ContractDocs | undefined;
  readonly isDeployable: boolean;
}

export interface Place {
  readonly publicUrl: string;
}

/** OpenAPI 3.1 of one contract: its functions and events as routes, in the words of its author. */
export function describeContract(contract: DescribedContract, place: Place): Json {
  const { title, text } = contractNotes(contract.docs);
  return documentOf({
    title: title ?? contract.reference,
    description: [text, `The contract ${contract.address} on ${contract.network}.`],
    paths: contractPaths(subjectOf(contract, '')),
    place,
  });
}

/** OpenAPI 3.1 of many contracts in one document. */
export function describeContracts(contracts: readonly DescribedContract[], place: Place): Json {
  const paths: Record<string, Json> = {};
  const prefixes = new Set<string>();
  for (const contract of contracts) {
    const plain = contract.reference.replaceAll(/[^A-Za-z0-9]+/g, '_');
    let prefix = plain;
    for (let count = 2; prefixes.has(prefix); count += 1) prefix = `${plain}_${count}`;
    prefixes.add(prefix);
    // The same name on two networks is the same path; the first one stands for both.
    for (const [path, operations] of Object.entries(contractPaths(subjectOf(contract, `${prefix}_`)))) {
      paths[path] ??= operations;
    }
  }
  return documentOf({ title: 'Contracts', description: ['Every contract that this hub knows.'], paths, place });
}

/** OpenAPI 3.1 of an interface: how an instance is deployed, and how any address is called by it. */
export function describeInterface(known: DescribedInterface, place: Place): Json {
  const { title, text } = contractNotes(known.docs);
  const subject: Subject = {
    abi: known.abi,
    docs: known.docs,
    base: '/api/contracts/{address}',
    idPrefix: '',
    tag: known.name,
    parameters: [
      { name: 'address', in: 'path', required: true, schema: { type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' } },
    ],
    query: [
      { name: 'interface', required: true, schema: { type: 'string', enum: [`${known.name}@${known.version}`] } },
      { name: 'network', required: false, schema: { type: 'string' } },
    ],
  };
  const deploying = { post: deployOperation({ ...subject, parameters: [], query: [] }) };
  return documentOf({
    title: title ?? known.name,
    description: [text, `The interface ${known.name}, version ${known.version}.`],
    paths: {
      ...(known.isDeployable && { [`/api/interfaces/${known.name}/deploy`]: deploying }),
      ...contractPaths(subject),
    },
    place,
  });
}

function subjectOf(contract: DescribedContract, idPrefix: string): Subject {
  const { network, isOnDefaultNetwork } = contract;
  const schema = { type: 'string', enum: [network] };
  return {
    abi: contract.abi,
    docs: contract.docs,
    base: `/api/contracts/${encodeURIComponent(contract.reference)}`,
    idPrefix,
    tag: contract.reference,
    parameters: [],
    query: [{ name: 'network', required: !isOnDefaultNetwork, schema }],
  };
}

function documentOf(parts: {
  readonly title: string;
  readonly description: readonly (string | undefined)[];
  readonly paths: Readonly<Record<string, Json>>;
  readonly place: Place;
}): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: parts.title,
      version: '1',
      description: parts.description.filter((text) => text !== undefined).join('\n\n'),
    },
    servers: [{ url: parts.place.publicUrl }],
    paths: parts.paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key of the hub' } },
      schemas,
    },
  };
}

const text = { type: 'string' };
const integer = { type: 'integer' };

const schemas: Json = {
  Sent: {
    type: 'object',
    description: 'A transaction as far as it is known',
    properties: {
      id: { type: 'string', format: 'uuid' },
      status: { type: 'string', enum: ['reserved', 'signed', 'broadcast', 'mined', 'confirmed'] },
      network: text,
      chainId: integer,
      from: text,
      to: { ...text, description: 'Absent when it deploys' },
      nonce: integer,
      hash: { ...text, description: 'Once it is signed' },
      contract: {
        type: 'object',
        description: 'That it deploys',
        properties: { address: text, name: text },
        required: ['address'],
      },
      blockNumber: integer,
      blockHash: text,
      gasUsed: { ...text, description: 'Decimal' },
      events: {
        type: 'array',
        description: 'What the contract emitted, once it is mined',
        items: {
          type: 'object',
          properties: { name: text, args: { type: 'object' }, logIndex: integer },
          required: ['name', 'args', 'logIndex'],
        },
      },
      links: { type: 'object', additionalProperties: text },
    },
    required: ['id', 'status', 'network', 'chainId', 'from', 'nonce', 'links'],
  },
  ContractEvent: {
    type: 'object',
    properties: {
      name: text,
      args: { type: 'object' },
      contract: { type: 'object', properties: { name: text, address: text }, required: ['address'] },
      transaction: { type: 'object', properties: { hash: text, index: integer }, required: ['hash', 'index'] },
      block: {
        type: 'object',
        properties: { number: integer, hash: text, timestamp: { ...text, format: 'date-time' } },
        required: ['number', 'hash', 'timestamp'],
      },
      log: { type: 'object', properties: { index: integer }, required: ['index'] },
      network: text,
      chainId: integer,
      decodeError: text,
      raw: { type: 'object', properties: { topics: { type: 'array', items: text }, data: text } },
    },
    required: ['name', 'args', 'contract', 'transaction', 'block', 'log', 'network', 'chainId'],
  },
  Problem: {
    type: 'object',
    properties: {
      type: text,
      title: text,
      status: integer,
      detail: text,
      instance: text,
      code: text,
      requestId: text,
      fix: text,
      errors: {
        type: 'array',
        items: { type: 'object', properties: { pointer: text, detail: text }, required: ['pointer', 'detail'] },
      },
      error: {
        type: 'object',
        description: 'What the contract refused with, where its ABI knows it',
        properties: { name: text, signature: text, args: { type: 'object', additionalProperties: true } },
        required: ['name', 'signature', 'args'],
      },
    },
    required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'],
  },
};
