import { describe, expect, it } from '@jest/globals';
import { zapierItems, type ZapierItems } from '#sdk';
import { silentLog } from '../../test/builders/action-call.js';
import { publish } from './publish.action.js';

async function call(input: Record<string, unknown>) {
  const published: Parameters<ZapierItems['publish']>[0][] = [];
  const items: ZapierItems = {
    publish: (item) => {
      published.push(item);
      return Promise.resolve({ isNew: true });
    },
  };
  const output = await publish.run({
    input: publish.input.parse(input),
    idempotencyKey: 'run-1-step-2',
    // The only service it asks for.
    use: ((token: { name: string }) => (token.name === zapierItems.name ? items : undefined)) as never,
    client: undefined,
    attempt: 1,
    signal: new AbortController().signal,
    http: undefined as never,
    log: silentLog,
    flow: 'f',
    run: 'r',
    step: 's',
  });
  return { output, published };
}

describe('zapier.publish', () => {
  it('given fields, when it is done again, then the event has the same id, and every value is text', async () => {
    const { output, published } = await call({
      event: 'sold',
      fields: { amount: 5, isGift: true, note: null },
      delivery: 'batch',
    });

    expect(output).toEqual({ id: 'run-1-step-2', isNew: true });
    expect(published).toEqual([
      {
        slug: 'sold',
        id: 'run-1-step-2',
        time: expect.stringMatching(/Z$/),
        ingredients: { amount: '5', isGift: 'true', note: '' },
        inBatch: true,
      },
    ]);
  });

  it('given an id of its own, then that is the id of the event', async () => {
    expect((await call({ event: 'sold', fields: {}, id: 7 })).output).toEqual({ id: '7', isNew: true });
  });

  it.each([
    [{ event: 'Sold!', fields: {} }],
    [{ event: 'sold', fields: { id: '1' } }],
    [{ event: 'sold', fields: { a: {} } }],
    [{ fields: {} }],
  ])('given %j, then the flow is refused', (input) => {
    expect(publish.input.safeParse(input).success).toBe(false);
  });
});
