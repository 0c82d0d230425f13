import type { Abi, AbiFragment, AbiParameter } from '#evm';
import type { Fault } from '#sdk';
import { isRecord } from './json-object.js';
import { refusal } from './upload.js';

const kinds = ['function', 'constructor', 'event', 'error', 'fallback', 'receive'];
const maxFragments = 2_000;
/** Deeper than any struct that a person wrote; an encoding of such a type is a bomb. */
const maxTupleDepth = 16;
const maxFaults = 20;

const elementary =
  /^(?:u?int(?:8|16|24|32|40|48|56|64|72|80|88|96|104|112|120|128|136|144|152|160|168|176|184|192|200|208|216|224|232|240|248|256)?|address|bool|string|bytes(?:[1-9]|[12]\d|3[0-2])?|function|tuple)(?:\[(?:[1-9]\d{0,8})?\])*$/;
/** Public functions of libraries may take what no caller outside of Solidity can encode: `struct L.S storage`, `L.Choice`. */
const libraryOnly = /[ .]|^[A-Z_$]/;

/**
 * An ABI of unknown origin, checked so far that nothing behind has to doubt its shape. Functions of a library that
 * only Solidity can call are left out.
 *
 * @throws upload.invalid with each fault at its place
 */
export function checkAbi(value: unknown, file: string): Abi {
  const faults: Fault[] = [];
  const report = (pointer: string, detail: string): void => {
    if (faults.length < maxFaults) faults.push({ pointer: `#${pointer}`, detail, file });
  };
  if (!Array.isArray(value)) report('', 'An ABI is a list');
  else if (value.length > maxFragments) report('', `An ABI may have ${String(maxFragments)} entries`);
  else value.forEach((entry: unknown, index) => checkFragment(entry, `/${String(index)}`, report));
  if (faults.length > 0) {
    throw refusal(`The ABI in ${file} is broken: ${faults[0]!.detail}`, 'Send it as the compiler wrote it.', faults);
  }
  return callableOutside(value as Abi);
}

/** Without the functions of a library that only Solidity can call. */
export function callableOutside(abi: Abi): Abi {
  return abi.filter(
    (fragment) => ![...(fragment.inputs ?? []), ...(fragment.outputs ?? [])].some(({ type }) => libraryOnly.test(type)),
  );
}

type Report = (pointer: string, detail: string) => void;

function checkFragment(value: unknown, pointer: string, report: Report): void {
  if (!isRecord(value)) return report(pointer, 'An entry of an ABI is an object');
  const { type = 'function', name, inputs, outputs } = value as unknown as Partial<AbiFragment>;
  if (!kinds.includes(type)) return report(`${pointer}/type`, `${JSON.stringify(type)} is none of ${kinds.join(', ')}`);
  if (['function', 'event', 'error'].includes(type) && !isName(name)) {
    report(`${pointer}/name`, `A ${type} needs a name of letters, digits, _ and $`);
  }
  checkParameters(inputs, `${pointer}/inputs`, report, 0);
  checkParameters(outputs, `${pointer}/outputs`, report, 0);
}

function checkParameters(value: unknown, pointer: string, report: Report, depth: number): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) return report(pointer, 'Parameters are a list');
  if (depth > maxTupleDepth) return report(pointer, `Tuples may be ${String(maxTupleDepth)} deep`);
  value.forEach((entry: unknown, index) => {
    const place = `${pointer}/${String(index)}`;
    if (!isRecord(entry)) return report(place, 'A parameter is an object');
    const { name, type, components } = entry as unknown as Partial<AbiParameter>;
    if (name !== undefined && name !== '' && !isName(name)) report(`${place}/name`, 'This is no name of a parameter');
    if (typeof type !== 'string') return report(`${place}/type`, 'A parameter needs a type');
    if (type.startsWith('tuple') && !Array.isArray(components)) report(`${place}/components`, 'A tuple has components');
    if (!elementary.test(type) && !libraryOnly.test(type)) {
      report(`${place}/type`, `${JSON.stringify(type)} is no type of the ABI`);
    }
    checkParameters(components, `${place}/components`, report, depth + 1);
  });
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 200 && /^[A-Za-z_$][\w$]*$/.test(value);
}
