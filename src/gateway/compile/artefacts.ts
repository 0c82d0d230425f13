import { pointerTo } from '#sdk';
import { checkAbi } from './abi-shape.js';
import type { CompiledContract } from './compiled.js';
import { checkContractName, codeOf, compilerOf, contractOfOutput, docsOf, parseObject } from './contract-output.js';
import { isRecord, objectAt, textAt, type JsonObject } from './json-object.js';
import { refusal, type StandardJsonInput } from './upload.js';

export type JsonReading =
  | { readonly kind: 'standard-json'; readonly input: StandardJsonInput }
  | { readonly kind: 'artefacts'; readonly contracts: readonly CompiledContract[] };

/**
 * What a JSON document of a tool holds, told by its shape. Known are the inputs and outputs of solc, its metadata, the
 * artefacts of Hardhat, Foundry, Truffle and Remix, a bare ABI, and `abi` with `bytecode`.
 *
 * @returns undefined for JSON that is something else, e.g. package.json
 * @throws upload.invalid for a known shape with broken content
 */
export function readDocument(file: string, value: unknown): JsonReading | undefined {
  if (Array.isArray(value)) {
    if (!value.every((entry) => isRecord(entry) && ('type' in entry || 'inputs' in entry))) return undefined;
    return artefacts([fromArtefact(file, { abi: value })]);
  }
  if (!isRecord(value)) return undefined;
  if (isMetadata(value)) return artefacts([fromMetadata(file, value)]);
  // A build-info holds the input as well, but its output is what was deployed.
  if (isRecord(value['output']) && isRecord(value['output']['contracts'])) return fromOutput(value['output']);
  if (isRecord(value['contracts']) && isRecord(value['sources'])) return fromOutput(value);
  if (value['language'] !== undefined && isRecord(value['sources'])) return standardJson(file, value);
  if (isRecord(value['input']) && isRecord(value['input']['sources'])) return standardJson(file, value['input']);
  if (value['abi'] === undefined) return undefined;
  return artefacts([fromArtefact(file, value)]);
}

function artefacts(contracts: readonly CompiledContract[]): JsonReading {
  return { kind: 'artefacts', contracts };
}

function isMetadata(value: JsonObject): boolean {
  return isRecord(value['compiler']) && isRecord(value['output']) && Array.isArray(value['output']['abi']);
}

function fromMetadata(file: string, value: JsonObject): CompiledContract {
  const target = targetOf(value);
  const output = objectAt(value, 'output');
  return {
    name: target?.name ?? nameOf(file),
    file: target?.file,
    abi: checkAbi(output['abi'], file),
    ...codeOf(file, {}, {}),
    metadata: JSON.stringify(value),
    compiler: compilerOf(JSON.stringify(value)),
    docs: docsOf(output),
  };
}

/** Hardhat and Foundry keep the whole output of the compiler in build-info; `contracts` is by file, then by name. */
function fromOutput(output: JsonObject): JsonReading {
  const contracts = Object.entries(objectAt(output, 'contracts')).flatMap(([file, byName]) =>
    Object.entries(isRecord(byName) ? byName : {})
      .filter((entry): entry is [string, JsonObject] => isRecord(entry[1]) && Array.isArray(entry[1]['abi']))
      .map(([name, contract]) => contractOfOutput(name, file, contract)),
  );
  return artefacts(contracts);
}

function standardJson(file: string, value: JsonObject): JsonReading {
  if (value['language'] !== 'Solidity') {
    throw refusal(
      `${file} is written in ${JSON.stringify(value['language'])}; only Solidity is compiled here`,
      'Compile it yourself and send the artefacts.',
    );
  }
  const sources = Object.entries(objectAt(value, 'sources')).map(([name, source]) => {
    const content = textAt(source, 'content');
    if (content !== undefined) return [name, { content }] as const;
    throw refusal(
      `${file} does not hold the content of ${name}`,
      'Sources are never fetched: put the text into `content`.',
      [
        {
          pointer: pointerTo(['sources', name]),
          detail: 'There is no content',
          file,
        },
      ],
    );
  });
  if (sources.length === 0) throw refusal(`${file} has no sources`, 'Put at least one source into `sources`.');
  return {
    kind: 'standard-json',
    input: { language: 'Solidity', sources: Object.fromEntries(sources), settings: objectAt(value, 'settings') },
  };
}

function fromArtefact(file: string, value: JsonObject): CompiledContract {
  const metadata = textAt(value, 'metadata') ?? textAt(value, 'rawMetadata') ?? jsonOf(value['metadata']);
  const description = parseObject(metadata);
  const target = targetOf(description);
  const given = textAt(value, 'contractName') ?? textAt(value, 'name') ?? target?.name;
  const name = given ?? nameOf(file);
  checkContractName(name, file);
  const sourceFile = textAt(value, 'sourceName') ?? target?.file ?? textAt(value, 'sourcePath');
  return {
    name,
    file: sourceFile,
    abi: checkAbi(typeof value['abi'] === 'string' ? parseJson(file, value['abi']) : value['abi'], file),
    ...artefactCode(given === undefined ? file : `${given} in ${file}`, value),
    metadata,
    compiler: compilerOf(metadata),
    docs: docsOf(isRecord(value['devdoc']) || isRecord(value['userdoc']) ? value : objectAt(description, 'output')),
  };
}

/** Remix keeps the codes under `data`; Hardhat and Truffle as text beside their references, Foundry as objects. */
function artefactCode(owner: string, value: JsonObject): ReturnType<typeof codeOf> {
  const holder = isRecord(value['data']) ? value['data'] : value;
  const runtime = holder['deployedBytecode'] ?? holder['runtimeBytecode'];
  const creation = holder['bytecode'];
  return codeOf(
    owner,
    isRecord(creation) ? creation : { object: creation, linkReferences: holder['linkReferences'] },
    isRecord(runtime)
      ? runtime
      : {
          object: runtime,
          // Without the code that they point into they would be places in nothing.
          immutableReferences: runtime === undefined ? undefined : holder['immutableReferences'],
        },
  );
}

function targetOf(metadata: JsonObject): { name: string; file: string } | undefined {
  const [target] = Object.entries(objectAt(objectAt(metadata, 'settings'), 'compilationTarget'));
  return target && typeof target[1] === 'string' ? { file: target[0], name: target[1] } : undefined;
}

/** What has no file name, as the body of a request, is just a contract. */
function nameOf(file: string): string {
  const [, written = ''] = /([^/]+)[.]json$/i.exec(file) ?? [];
  const stem = written.replaceAll(/[^\w$]/g, '_');
  return /^[A-Za-z_$]/.test(stem) ? stem : 'Contract';
}

/** @throws upload.invalid with the place that the parser names */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(
      `${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`,
      'Send it as the tool wrote it.',
    );
  }
}

function jsonOf(value: unknown): string | undefined {
  return isRecord(value) ? JSON.stringify(value) : undefined;
}
