import { describe, expect, it } from '@jest/globals';
import { signerNames } from '#evm';
import { PatchbayError, type AnyAction, type UseService } from '#sdk';
import { deliver } from './oracle/deliver.action.js';
import { pipeline } from './oracle/pipeline.action.js';
import { publishFeed } from './oracle/publish-feed.action.js';
import { oracle } from './oracle/connection.js';
import { deploy } from './evm/deploy.action.js';
import { sendTransaction } from './evm/send-transaction.action.js';

const use: UseService = (token) => {
  if (token.name !== signerNames.name) throw new Error(`${token.name} is not lent here`);
  const assertKnown = (name: string) => {
    if (name === 'treasury') return Promise.resolve();
    const detail = `There is no signer called ${name}.`;
    return Promise.reject(new PatchbayError('evm.unknownSigner', { detail, fix: 'Did you mean treasury?' }));
  };
  // The token above says what it stands for.
  return { assertKnown } as ReturnType<typeof use<never>>;
};

const mistyped = { detail: 'There is no signer called tresury', fix: 'Did you mean treasury?' };

const actions: readonly (readonly [string, Pick<AnyAction, 'check'>])[] = [
  ['evm.sendTransaction', sendTransaction],
  ['evm.deploy', deploy],
  ['oracle.publishFeed', publishFeed],
  ['oracle.deliver', deliver],
  ['oracle.pipeline', pipeline],
];

describe('the signer of a step', () => {
  it.each(actions)(
    'given %s, when the flow is checked, then a signer that is none is told',
    async (_name, { check }) => {
      const found = (from?: string) =>
        check?.({ input: { from }, client: undefined, use, signal: new AbortController().signal });

      await expect(found('tresury')).resolves.toEqual([{ pointer: '/from', ...mistyped }]);
      await expect(found('treasury')).resolves.toEqual([]);
      // A template will give it, or the connection does.
      await expect(found(undefined)).resolves.toEqual([]);
    },
  );
});

describe('the signer of an oracle connection', () => {
  it('given its settings are typed, when they are checked, then a signer that is none is told', async () => {
    const found = (signer?: unknown) => oracle.check?.({ input: { signer }, use });

    await expect(found('tresury')).resolves.toEqual([{ pointer: '/signer', ...mistyped }]);
    await expect(found('treasury')).resolves.toEqual([]);
    await expect(found(undefined)).resolves.toEqual([]);
    await expect(found(7)).resolves.toEqual([]);
  });
});
