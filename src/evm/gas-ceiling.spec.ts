import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { GasCeiling } from './gas-ceiling.js';
import type { Rpc } from './rpc-client.js';

afterEach(() => {
  jest.useRealTimers();
});

describe('the gas of a whole block', () => {
  it('given a block, when gas is compared with it, then only what is above it is told, and the node is asked once', async () => {
    const node = aNode({ gasLimit: '0x1c9c380' });
    const ceiling = new GasCeiling(node);

    expect(await Promise.all([21_000n, 30_000_000n, 30_000_001n].map((gas) => ceiling.below(gas)))).toEqual([
      undefined,
      undefined,
      30_000_000n,
    ]);
    expect(node.asked).toBe(1);
  });

  it('given blocks that have grown, when gas is above what they had, then the node is asked again before it is too much', async () => {
    jest.useFakeTimers();
    const block = { gasLimit: '0x1c9c380' };
    const ceiling = new GasCeiling(aNode(block));
    expect(await ceiling.below(40_000_000n)).toBe(30_000_000n);

    block.gasLimit = '0x3938700';
    jest.advanceTimersByTime(2_000);

    expect(await ceiling.below(40_000_000n)).toBeUndefined();
  });

  it('given a node that was silent once, when it answers again, then it is asked soon and what is too much is told', async () => {
    jest.useFakeTimers();
    let answer: object = new Error('socket hang up');
    const ceiling = new GasCeiling({ request: <T>() => aNode(answer).request<T>('') });
    expect(await ceiling.below(40_000_000n)).toBeUndefined();

    answer = { gasLimit: '0x1c9c380' };
    jest.advanceTimersByTime(2_000);

    expect(await ceiling.below(40_000_000n)).toBe(30_000_000n);
  });

  it('given a node that stays silent, when gas is compared again and again, then it is asked ever more rarely', async () => {
    jest.useFakeTimers();
    const node = aNode(new Error('timeout'));
    const ceiling = new GasCeiling(node);
    for (let second = 0; second < 120; second += 1) {
      await ceiling.below(21_000n);
      jest.advanceTimersByTime(1_000);
    }

    expect(node.asked).toBeLessThan(10);
  });

  it.each([
    ['says nothing of it', {}],
    ['says nonsense', { gasLimit: 'much' }],
    ['has no block', null],
    ['is silent', new Error('socket hang up')],
  ])('given a node that %s, when gas is compared, then nothing is too much', async (_, answer) => {
    expect(await new GasCeiling(aNode(answer)).below(10n ** 12n)).toBeUndefined();
  });
});

function aNode(answer: object | null): Pick<Rpc, 'request'> & { asked: number } {
  const node = {
    asked: 0,
    request: <T>(): Promise<T> => {
      node.asked += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as T);
    },
  };
  return node;
}
