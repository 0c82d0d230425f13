import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createMaker } from '../../sandbox/ifttt/maker.js';
import { callAction } from '../../test/builders/action-call.js';
import { startStandIn, type StandInServer } from '../../test/builders/stand-in-server.js';
import { triggerEvent } from './trigger-event.action.js';

const makerKey = 'dK3y-of_the maker';

describe('ifttt.triggerEvent', () => {
  let maker: StandInServer;

  beforeAll(async () => {
    maker = await startStandIn(createMaker(makerKey));
  });
  beforeEach(() => maker.faults.clear());
  afterAll(() => maker.stop());

  const fire = (input: Record<string, unknown>, key = makerKey) =>
    callAction(triggerEvent, { settings: { makerKey: key, baseUrl: maker.url }, with: input });

  it('given values, when an event is fired, then they arrive as text and IFTTT accepts it', async () => {
    const output = await fire({ event: 'large_transfer', value1: '25000 USDC', value3: 3 });

    expect(output).toEqual({ message: "Congratulations! You've fired the large_transfer event" });
    expect(JSON.parse(maker.requests().at(-1)?.body ?? '')).toEqual({ value1: '25000 USDC', value3: '3' });
  });

  it('given JSON, when an event is fired, then it is the JSON form of the trigger', async () => {
    const output = await fire({ event: 'large_transfer', json: { amount: ['25000'] } });

    expect(output).toEqual({ message: "Congratulations! You've fired the large_transfer JSON event" });
    expect(JSON.parse(maker.requests().at(-1)?.body ?? '')).toEqual({ amount: ['25000'] });
  });

  it('given a wrong key, when an event is fired, then trying again cannot help and the key is not shown', async () => {
    const failure = fire({ event: 'large_transfer' }, 'another key');

    await expect(failure).rejects.toMatchObject({
      code: 'connection.unauthorised',
      message: expect.stringContaining('401'),
    });
    await expect(failure).rejects.toMatchObject({ message: expect.not.stringMatching(/another( |%20)key/) });
  });

  it('given a burst that IFTTT throttles, when an event is fired, then it is tried again after the wait', async () => {
    maker.faults.set('ifttt', { status: 429, headers: { 'retry-after': '2' } });

    await expect(fire({ event: 'large_transfer' })).rejects.toMatchObject({
      code: 'http.throttled',
      retryAfterMs: 2_000,
    });
  });

  it('given an answer that is lost, when an event is fired, then the error can be retried and hides the key', async () => {
    maker.faults.set('ifttt', { resetAfterProcessing: true });

    const failure = fire({ event: 'large_transfer' });
    await expect(failure).rejects.toMatchObject({ code: 'connection.refused', retry: 'later' });
    await expect(failure).rejects.toMatchObject({ message: expect.not.stringContaining('dK3y') });
  });

  it('given values and JSON, or a name that is none, when the inputs are checked, then they are refused', () => {
    expect(triggerEvent.input.safeParse({ event: 'a', value1: 'x', json: {} }).success).toBe(false);
    expect(triggerEvent.input.safeParse({ event: 'a/with/key/b' }).success).toBe(false);
  });
});
