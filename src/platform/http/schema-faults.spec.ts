import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { faultsOf } from './schema-faults.js';

const schema = z.strictObject({
  runs: z.coerce.number().optional(),
  block: z.union([z.enum(['latest']), z.string().regex(/^\d+$/, 'must be a number or latest'), z.number()]).optional(),
  depth: z.union([z.int(), z.enum(['safe'])]).optional(),
  batch: z.strictObject({ size: z.int().default(50), timeout: z.string().optional() }).prefault({}),
  events: z.array(z.strictObject({ event: z.string() })).optional(),
  target: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('webhook'), url: z.string() }),
    z.strictObject({ type: z.literal('flow'), flow: z.string() }),
  ]),
});
const target = { type: 'flow', flow: 'orders' };

describe('the faults of a value', () => {
  it.each([
    ['a field that is missing', { events: [{}], target }, '#/events/0/event', 'It is missing', undefined],
    ['text for a number', { runs: 'many', target }, '#/runs', 'It must be a number', undefined],
    ['none of a choice', { block: 'soon', target }, '#/block', 'must be a number or latest', undefined],
    [
      'none of a choice without words',
      { depth: 'x', target },
      '#/depth',
      'expected number, received string, or expected "safe"',
      undefined,
    ],
    [
      'an unknown field',
      { run: 1, target },
      '#/run',
      'Unknown field',
      'It takes runs, block, depth, batch, events, target',
    ],
    ['one further down', { batch: { siz: 1 }, target }, '#/batch/siz', 'Unknown field', 'It takes size, timeout'],
    [
      'one in a list',
      { events: [{ event: 'A', 'a/b': 1 }], target },
      '#/events/0/a~1b',
      'Unknown field',
      'It takes event',
    ],
    ['one of a choice', { target: { ...target, x: 1 } }, '#/target/x', 'Unknown field', 'It takes type, url, flow'],
  ])('given %s, when they are told, then it is with the place and what there is', (_, value, pointer, detail, fix) => {
    const { error } = schema.safeParse(value);

    const [fault, ...others] = faultsOf(schema, error!);

    expect(others).toEqual([]);
    expect(fault).toMatchObject({
      pointer,
      detail,
      ...(fix !== undefined && { fix }),
    });
  });
});
