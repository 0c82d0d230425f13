import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CircuitBreaker } from './circuit-breaker.js';

const calm = new AbortController().signal;
const times = { failures: 3, openMs: 1_000, longestOpenMs: 10_000 };

async function failing(breaker: CircuitBreaker, count: number): Promise<void> {
  for (let attempt = 0; attempt < count; attempt++) {
    await breaker.pass(calm);
    breaker.failed();
  }
}

/** Whether the breaker lets a caller pass once so much time is over, and not a millisecond earlier. */
async function expectPause(passing: () => boolean, pauseMs: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(pauseMs - 1);
  expect(passing()).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(passing()).toBe(true);
}

describe('the circuit breaker of an endpoint', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('given failures with a success between them, when they go on, then it stays closed', async () => {
    const breaker = new CircuitBreaker(times);

    await failing(breaker, 2);
    await breaker.pass(calm);
    breaker.succeeded();
    await failing(breaker, 2);

    expect(breaker.state).toBe('closed');
  });

  it('given as many failures in a row as it allows, when others want to call, then one tries after a pause and the rest wait for it', async () => {
    const breaker = new CircuitBreaker(times);
    await failing(breaker, 3);
    expect(breaker.state).toBe('open');
    const passed: number[] = [];
    const waiting = [1, 2, 3].map((caller) => breaker.pass(calm).then(() => passed.push(caller)));

    await expectPause(() => passed.length > 0, times.openMs);
    expect(passed).toHaveLength(1);
    expect(breaker.state).toBe('halfOpen');
    breaker.succeeded();
    await Promise.all(waiting);

    expect(passed).toHaveLength(3);
    expect(breaker.state).toBe('closed');
  });

  it('given a trial that fails, when it is over, then the next pause is twice as long', async () => {
    const breaker = new CircuitBreaker(times);
    await failing(breaker, 3);
    const trial = failing(breaker, 1);
    await jest.advanceTimersByTimeAsync(times.openMs);
    await trial;
    let hasPassed = false;
    void breaker.pass(calm).then(() => (hasPassed = true));

    await expectPause(() => hasPassed, 2 * times.openMs);
  });

  it('given one who waits, when it is told to stop, then it waits no longer', async () => {
    const breaker = new CircuitBreaker(times);
    await failing(breaker, 3);
    const stop = new AbortController();
    const waiting = breaker.pass(stop.signal);
    stop.abort();

    await expect(waiting).rejects.toThrow();
  });
});
