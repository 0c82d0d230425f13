import { checkAbi } from './abi-shape.js';
import type { CodePlace, CompiledContract, Compiler, ContractDocs } from './compiled.js';
import { isRecord, objectAt, textAt, type JsonObject } from './json-object.js';
import { refusal } from './upload.js';

/**
 * One contract as solc describes it in its standard output; build-infos and Remix keep the same form.
 *
 * @throws upload.invalid
 */
export function contractOfOutput(name: string, file: string | undefined, output: JsonObject): CompiledContract {
  checkContractName(name, file ?? 'the upload');
  const evm = objectAt(output, 'evm');
  const metadata = textAt(output, 'metadata');
  return {
    name,
    file,
    abi: checkAbi(output['abi'] ?? [], `${file ?? ''}:${name}`),
    ...codeOf(
      file === undefined ? name : `${name} in ${file}`,
      objectAt(evm, 'bytecode'),
      objectAt(evm, 'deployedBytecode'),
    ),
    metadata,
    compiler: compilerOf(metadata),
    docs: docsOf(output),
  };
}

/** @throws upload.invalid */
export function checkContractName(name: string, file: string): void {
  if (/^[A-Za-z_$][\w$]{0,199}$/.test(name)) return;
  throw refusal(
    `${JSON.stringify(name.slice(0, 200))} in ${file} is no name of a contract`,
    'A name has letters, digits, _ and $.',
  );
}

type Code = Pick<CompiledContract, 'bytecode' | 'runtimeBytecode' | 'immutables' | 'links'>;

/** Both codes in the form `{ object, linkReferences, immutableReferences }`. */
export function codeOf(owner: string, creation: JsonObject, runtime: JsonObject): Code {
  const runtimeBytecode = checkCode(owner, textAt(runtime, 'object'));
  const code = {
    bytecode: checkCode(owner, textAt(creation, 'object')),
    runtimeBytecode,
    immutables:
      runtime['immutableReferences'] === undefined
        ? emptyWordsIn(runtimeBytecode ?? '')
        : Object.values(objectAt(runtime, 'immutableReferences')).flatMap(placesOf).sort(byStart),
    links: linksOf(objectAt(creation, 'linkReferences')),
  };
  checkPlaces(owner, code.immutables, code.runtimeBytecode);
  for (const places of Object.values(code.links)) checkPlaces(owner, places, code.bytecode);
  return code;
}

/**
 * Where immutables go, for artefacts that do not say: solc leaves a word of zeros behind a PUSH32 for each, and nothing else is
 * written like that, because a constant of zero takes a byte.
 */
function emptyWordsIn(code: string): CodePlace[] {
  const places: CodePlace[] = [];
  for (let at = code.indexOf(emptyWord); at >= 0; at = code.indexOf(emptyWord, at + 1)) {
    if (at % 2 === 0) places.push({ start: at / 2, length: 32 });
  }
  return places;
}

const emptyWord = `7f${'0'.repeat(64)}`;

/** Places of libraries by `file:Library`, from the nested form that solc and Hardhat use. */
export function linksOf(references: JsonObject): Readonly<Record<string, readonly CodePlace[]>> {
  return Object.fromEntries(
    Object.entries(references)
      .flatMap(([file, libraries]) =>
        Object.entries(isRecord(libraries) ? libraries : {}).map(([library, places]): [string, CodePlace[]] => [
          `${file}:${library}`,
          placesOf(places),
        ]),
      )
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

/**
 * Code as hexadecimal text with 0x; places of libraries keep the placeholders of the compiler.
 *
 * @returns undefined when there is none, as for interfaces
 * @throws upload.invalid
 */
export function checkCode(name: string, code: string | undefined): string | undefined {
  const digits = (code ?? '').trim().replace(/^0x/, '');
  if (digits === '') return undefined;
  // Each placeholder is as long as the address that takes its place.
  if (digits.length % 2 === 0 && /^(?:[0-9a-fA-F]{2}|__.{36}__|__.{38})+$/.test(digits)) return `0x${digits}`;
  throw refusal(
    `The bytecode of ${name} is no hexadecimal text`,
    'Send it as the compiler wrote it: 0x and an even number of digits.',
  );
}

/** What the metadata says about the compiler; undefined without metadata. */
export function compilerOf(metadata: string | undefined): Compiler | undefined {
  const content = parseObject(metadata);
  const version = textAt(objectAt(content, 'compiler'), 'version');
  if (version === undefined) return undefined;
  const settings = objectAt(content, 'settings');
  return {
    version,
    evmVersion: textAt(settings, 'evmVersion') ?? 'unknown',
    optimizer: optimizerOf(objectAt(settings, 'optimizer')),
  };
}

export function docsOf(output: JsonObject): ContractDocs | undefined {
  if (!isRecord(output['devdoc']) && !isRecord(output['userdoc'])) return undefined;
  return { devdoc: objectAt(output, 'devdoc'), userdoc: objectAt(output, 'userdoc') };
}

export function parseObject(text: string | undefined): JsonObject {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function optimizerOf(optimizer: JsonObject): Compiler['optimizer'] {
  const { enabled, runs } = optimizer;
  return { enabled: enabled === true, runs: typeof runs === 'number' ? runs : 200 };
}

function placesOf(value: unknown): CodePlace[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map(({ start, length }) => ({ start: Number(start), length: Number(length) }));
}

function checkPlaces(name: string, places: readonly CodePlace[], code: string | undefined): void {
  const bytes = ((code?.length ?? 2) - 2) / 2;
  const fits = ({ start, length }: CodePlace): boolean =>
    Number.isSafeInteger(start) && Number.isSafeInteger(length) && start >= 0 && length > 0 && start + length <= bytes;
  if (places.every(fits)) return;
  throw refusal(
    `The artefact of ${name} names places outside of its bytecode`,
    'Send it as the compiler wrote it, with both codes.',
  );
}

function byStart(one: CodePlace, other: CodePlace): number {
  return one.start - other.start;
}
