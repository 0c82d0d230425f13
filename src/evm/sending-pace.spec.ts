import { describe, expect, it } from '@jest/globals';
import { SendingPace } from './sending-pace.js';

const never = new AbortController().signal;

describe('the pace of sending', () => {
  it('given so many per second, when more than that is to pass, then what is above it waits for its time', async () => {
    const begin = performance.now();
    const pace = new SendingPace(200);
    const first = pace.take(200, never).then(() => 'passed');
    expect(await Promise.race([first, nextTurn()])).toBe('passed');
    await pace.take(40, never);
    expect(performance.now() - begin).toBeGreaterThan(190);
  });

  it('given somebody who waits, when it is aborted, then it waits no longer', async () => {
    const pace = new SendingPace(1);
    const stop = new AbortController();
    const waiting = pace.take(1_000, stop.signal).then(() => 'passed');
    expect(await Promise.race([waiting, nextTurn()])).toBe('waits');
    stop.abort();
    expect(await waiting).toBe('passed');
  });

  it.each([
    [undefined, Infinity],
    [200, 200],
    [2.5, 2],
    [0.5, 1],
  ])('given %p per second, when it is asked how many may go in one go, then it is %p', (perSecond, most) => {
    expect(new SendingPace(perSecond).atOnce).toBe(most);
  });
});

function nextTurn(): Promise<string> {
  return new Promise((resolve) => setImmediate(resolve, 'waits'));
}
