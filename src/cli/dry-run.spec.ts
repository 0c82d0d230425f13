import { describe, expect, it } from '@jest/globals';
import { loadFlow, type CompiledFlow } from '#engine';
import { defineAction, defineTrigger, z, type AnyAction, type AnyTrigger } from '#sdk';
import { dryRun, type DryRunInput } from './dry-run.js';

const heard = defineTrigger({
  title: 'Heard',
  summary: 'Hears.',
  input: z.object({}),
  event: z.object({ amount: z.number(), to: z.string() }),
  examples: [{}],
  receive: async () => [],
});
const pay = defineAction({
  title: 'Pay',
  summary: 'Pays.',
  input: z.object({ to: z.string(), amount: z.string() }),
  output: z.object({
    receipt: z.object({ id: z.string(), wallet: z.string().regex(/^0x[0-9a-f]{40}$/) }),
    lines: z.array(z.string()),
  }),
  examples: [],
  repeatable: 'It pays once per key.',
  run: () => {
    throw new Error('A dry run calls nothing.');
  },
});
const vocabulary = {
  trigger: (uses: string): AnyTrigger | undefined => (uses === 'test.heard' ? heard : undefined),
  action: (uses: string): AnyAction | undefined => (uses === 'test.pay' ? pay : undefined),
  triggerNames: () => ['test.heard'],
  actionNames: () => ['test.pay'],
  connectors: () => ['test'],
};

const flow = `
name: payments
trigger:
  uses: test.heard
  where:
    event.amount: { gte: 10 }
steps:
  - id: first
    uses: test.pay
    with: { to: "{{event.to}}", amount: "{{event.amount}}" }
    onError: continue
  - id: second
    uses: test.pay
    with: { to: "{{steps.first.receipt.id}}", amount: "1" }
    where:
      event.to: ann
orderingKey: "{{event.to}}"
`;

function aFlow(): CompiledFlow {
  const { flow: compiled, faults } = loadFlow(flow, { vocabulary });
  if (compiled === undefined) throw new Error(JSON.stringify(faults));
  return compiled;
}

function given(event: unknown, answers: Readonly<Record<string, unknown>> = {}): DryRunInput {
  return { event, env: {}, answers: new Map(Object.entries(answers)), vocabulary, now: new Date(0) };
}

describe('a dry run', () => {
  it('given an event the flow takes, when it is run dry, then every call is told with made-up answers', async () => {
    const run = await dryRun(aFlow(), given({ amount: 12, to: 'ann' }));

    expect(run).toMatchObject({ takes: true, orderingKey: 'ann', outcome: 'completed', failed: [] });
    expect(run.calls.map(({ step, uses, input }) => ({ step, uses, input }))).toEqual([
      { step: 'first', uses: 'test.pay', input: { to: 'ann', amount: '12' } },
      { step: 'second', uses: 'test.pay', input: { to: '<first.receipt.id>', amount: '1' } },
    ]);
    expect(run.calls[0]).toMatchObject({
      isMadeUp: true,
      output: { receipt: { id: '<first.receipt.id>', wallet: `0x${'0'.repeat(40)}` }, lines: [] },
    });
  });

  it('given answers, when it is run dry, then later steps see them', async () => {
    const run = await dryRun(aFlow(), given({ amount: 12, to: 'ann' }, { first: { receipt: { id: 'R-1' } } }));

    expect(run.calls[1]?.input).toEqual({ to: 'R-1', amount: '1' });
    expect(run.calls[0]?.isMadeUp).toBe(false);
  });

  it('given an event the flow does not take, when it is run dry, then it says why and calls nothing', async () => {
    const run = await dryRun(aFlow(), given({ amount: 9, to: 'ann' }));

    expect(run).toMatchObject({ takes: false, outcome: 'ignored', calls: [] });
    expect(run.because).toContain('event.amount');
  });

  it('given a step that answers with an error, when it is run dry, then it is told once, with its attempts', async () => {
    const run = await dryRun(aFlow(), given({ amount: 12, to: 'bob' }, { first: { error: 'connection.refused' } }));

    expect(run).toMatchObject({ outcome: 'completed', failed: ['first'], skipped: ['second'] });
    expect(run.calls).toHaveLength(1);
    expect(run.calls[0]).toMatchObject({ error: 'connection.refused', attempts: 8 });
  });
});
