import { PatchbayError, pointerTo, type Fault } from '#sdk';
import type { CompiledContract } from './compiled.js';
import { contractOfOutput, parseObject } from './contract-output.js';
import type { ResolvedSources } from './imports.js';
import { isRecord, objectAt, textAt, type JsonObject } from './json-object.js';
import { placeOf } from './solidity-scanner.js';

const maxFaults = 50;

/**
 * The contracts in an output of solc.
 *
 * @throws solidity.invalid with every error at its place
 */
export function readOutput(
  text: string,
  sources: ResolvedSources,
): { readonly contracts: readonly CompiledContract[]; readonly warnings: readonly string[] } {
  const output = parseObject(text);
  const messages = Array.isArray(output['errors']) ? output['errors'].filter(isRecord) : [];
  const errors = messages.filter((message) => message['severity'] === 'error');
  if (errors.length > 0) throw invalid(errors, sources);
  const contracts = Object.entries(objectAt(output, 'contracts'))
    .flatMap(([file, byName]) =>
      Object.entries(isRecord(byName) ? byName : {})
        .filter((entry): entry is [string, JsonObject] => isRecord(entry[1]))
        .map(([name, contract]) => contractOfOutput(name, sources.units.get(file)?.path ?? file, contract)),
    )
    .sort((one, other) => compare(one.file ?? '', other.file ?? '') || compare(one.name, other.name));
  return { contracts, warnings: messages.map((message) => (textAt(message, 'formattedMessage') ?? '').trim()) };
}

function invalid(errors: readonly JsonObject[], sources: ResolvedSources): PatchbayError {
  const faults = errors.slice(0, maxFaults).map((error) => faultOf(error, sources));
  const [first] = faults;
  const place =
    first?.file === undefined ? '' : `${first.file}:${String(first.line ?? 1)}:${String(first.column ?? 1)}: `;
  const more = errors.length > 1 ? ` (and ${String(errors.length - 1)} more)` : '';
  return new PatchbayError('solidity.invalid', {
    detail: `${place}${first?.detail ?? 'solc gave no reason'}${more}`,
    fix: first?.fix ?? 'Correct the source and send it again.',
    faults,
  });
}

function faultOf(error: JsonObject, { units }: ResolvedSources): Fault {
  const location = objectAt(error, 'sourceLocation');
  const name = textAt(location, 'file');
  const unit = name === undefined ? undefined : units.get(name);
  const detail = `${textAt(error, 'type') ?? 'Error'}: ${textAt(error, 'message') ?? ''}`.trim();
  const fix = fixFor(detail);
  if (!unit) return { pointer: '#', detail, ...(fix === undefined ? {} : { fix }) };
  const file = unit.path ?? unit.name;
  return {
    pointer: pointerTo(['sources', file]),
    detail,
    file,
    ...placeOf(unit.text, charactersIn(unit.text, Number(location['start']))),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** solc counts bytes. */
function charactersIn(text: string, bytes: number): number {
  return Buffer.from(text, 'utf8').subarray(0, Math.max(0, bytes)).toString('utf8').length;
}

/** Sources that use young instructions do not compile for the cautious default. */
function fixFor(detail: string): string | undefined {
  const version = /only available for (\w+)-compatible/i.exec(detail)?.[1]?.toLowerCase();
  return version === undefined ? undefined : `Compile with the EVM version ${version} or a later one.`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
