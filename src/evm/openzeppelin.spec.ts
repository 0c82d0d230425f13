import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AbiCoder, Interface, ParamType } from 'ethers';
import fc from 'fast-check';
import { encodeFunctionData, toEventSelector, toFunctionSelector, type Abi as ViemAbi, type AbiEvent } from 'viem';
import { argumentNames, getFragment, selectorOf, signatureOf, topicOf, type Abi, type AbiFragment } from './abi.js';
import { isHashed } from './abi-type.js';
import { encodeCall } from './arguments.js';
import { compileLogDecoder } from './log-decoder.js';
import { decodeCall, decodeOutputs } from './outputs.js';
import { describeRevert } from './revert-reason.js';
import { valuesOf, type SampleValues } from './testing/abi-samples.js';

const folder = join(process.cwd(), 'node_modules', '@openzeppelin', 'contracts', 'build', 'contracts');
const names = readdirSync(folder)
  .filter((file) => /^(ERC20|ERC721|ERC1155|Governor\w*)\.json$/.test(file))
  .map((file) => file.replace('.json', ''));

describe('the contracts of OpenZeppelin', () => {
  it('given the package, when looked at, then the ones that matter are there', () => {
    expect(names).toEqual(
      expect.arrayContaining(['ERC20', 'ERC721', 'ERC1155', 'Governor', 'GovernorTimelockControl']),
    );
  });

  it.each(names)('given %s, when its functions are called, then ethers and viem say the same', (name) => {
    const abi = abiOf(name);
    const ethers = new Interface(abi);
    for (const fragment of abi.filter(({ type }) => type === 'function')) {
      const signature = signatureOf(fragment);
      expect(getFragment(abi, 'function', signature)).toBe(fragment);
      expect(selectorOf(fragment)).toBe(ethers.getFunction(signature)?.selector);
      expect(selectorOf(fragment)).toBe(toFunctionSelector(signature));
      for (const values of samples(fragment.inputs)) {
        const data = encodeCall(fragment, values.read);
        expect(data).toBe(ethers.encodeFunctionData(signature, values.given));
        const viem = { abi: [fragment] as unknown as ViemAbi, functionName: fragment.name!, args: values.given };
        expect(data).toBe(encodeFunctionData(viem));
        expect(decodeCall(abi, data)).toEqual({ fragment, args: values.read });
      }
      for (const values of samples(fragment.outputs)) {
        const types = (fragment.outputs ?? []).map((output) => ParamType.from(output));
        expect(decodeOutputs(fragment, AbiCoder.defaultAbiCoder().encode(types, values.given))).toEqual(values.read);
      }
    }
  });

  it.each(names)('given %s, when it emits and reverts, then ethers and viem say the same', (name) => {
    const abi = abiOf(name);
    const ethers = new Interface(abi);
    for (const fragment of abi.filter(({ type }) => type === 'event')) {
      const signature = signatureOf(fragment);
      expect(topicOf(fragment)).toBe(ethers.getEvent(signature)?.topicHash);
      expect(topicOf(fragment)).toBe(toEventSelector(fragment as AbiEvent));
      for (const values of samples(fragment.inputs)) {
        const log = ethers.encodeEventLog(signature, values.given);
        expect(compileLogDecoder(fragment).decode(log)).toEqual({ args: asLogged(fragment, values.read) });
      }
    }
    for (const fragment of abi.filter(({ type }) => type === 'error')) {
      for (const values of samples(fragment.inputs)) {
        const data = ethers.encodeErrorResult(signatureOf(fragment), values.given);
        expect(describeRevert(abi, data)).toMatchObject({
          kind: 'custom',
          error: { name: fragment.name, args: values.read },
        });
      }
    }
  });
});

function abiOf(name: string): Abi {
  return (JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { abi: Abi }).abi;
}

function samples(parameters: AbiFragment['inputs']): SampleValues[] {
  return fc.sample(valuesOf(parameters ?? []), { numRuns: 3, seed: 7 });
}

/** Of what does not fit a topic only the hash is there. */
function asLogged(event: AbiFragment, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const inputs = event.inputs ?? [];
  const hash = expect.stringMatching(/^0x[0-9a-f]{64}$/);
  return Object.fromEntries(
    argumentNames(inputs).map((name, index) => {
      const input = inputs[index]!;
      return [name, input.indexed && isHashed(input) ? { hash } : values[name]];
    }),
  );
}
