import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { PatchbayError, type ErrorCode } from '#sdk';
import type { Call } from './flow.js';
import { aFlow, TestRun } from './testing/flow-runs.js';

const twoSteps = `
steps:
  - { id: contact, uses: test.notify, with: { text: "{{event.to}}" } }
  - { id: notify, uses: test.notify, with: { text: "{{steps.contact.id}}", count: "{{event.count}}" } }
`;

/** Fails so many times, then answers. */
function failing(step: string, times: number, code: ErrorCode = 'connection.refused') {
  let left = times;
  return (call: Call) => {
    if (call.step === step && left-- > 0) throw new PatchbayError(code, { detail: 'no' });
    return { id: `${call.step}-id` };
  };
}

describe('a run', () => {
  it("given two steps, when it advances, then the second is called with the output of the first, and with its schema's types", async () => {
    const run = new TestRun(aFlow(twoSteps), (call) => ({ id: `${call.step}-id` }), {
      event: { to: '0x00b2', count: '3' },
    });

    expect(await run.advance()).toMatchObject({ kind: 'completed', failed: [] });
    expect(
      run.calls.map(({ step, input, idempotencyKey, attempt }) => ({ step, input, idempotencyKey, attempt })),
    ).toEqual([
      { step: 'contact', input: { text: '0x00b2' }, idempotencyKey: 'run-1-contact', attempt: 1 },
      { step: 'notify', input: { text: 'contact-id', count: 3 }, idempotencyKey: 'run-1-notify', attempt: 1 },
    ]);
    expect(run.records).toBe(1);
  });

  it('given a single step, when it succeeds at once, then nothing is recorded before the outcome', async () => {
    const run = new TestRun(aFlow('steps: [{ id: a, uses: test.notify }]'));
    expect(await run.advance()).toMatchObject({
      kind: 'completed',
      entries: [{ step: 'a', state: 'succeeded', attempts: 1 }],
    });
    expect(run.records).toBe(0);
  });

  it('given a step that only says something, when it follows one that did something, then both are recorded together, and before the next that does', async () => {
    const lines = (last: string) => `
steps:
  - { id: ask, uses: test.notify }
  - { id: say, uses: test.note, with: { text: "{{steps.ask.id}}" } }
  ${last}`;
    const short = new TestRun(aFlow(lines('')), failing('say', 0));
    const long = new TestRun(aFlow(lines('- { id: tell, uses: test.notify }')), failing('say', 0));

    expect(await short.advance()).toMatchObject({ kind: 'completed', entries: [{ step: 'ask' }, { step: 'say' }] });
    expect(await long.advance()).toMatchObject({ kind: 'completed', entries: [{ step: 'tell' }] });
    expect([short.records, long.records]).toEqual([0, 1]);
  });

  it('given a run that failed at its second step, when it is retried, then the first step is not called again', async () => {
    const run = new TestRun(aFlow(twoSteps), failing('notify', 2), { event: { to: 'x', count: 1 } });

    expect(await run.advance()).toMatchObject({
      kind: 'retry',
      at: new Date(run.now.getTime() + 2_000),
      isPastMainLine: false,
      error: { step: 'notify', code: 'connection.refused' },
    });
    expect(await run.finish()).toMatchObject({ kind: 'completed' });
    expect(run.calls.map(({ step, attempt }) => `${step} ${attempt}`)).toEqual([
      'contact 1',
      'notify 1',
      'notify 2',
      'notify 3',
    ]);
    expect(run.journal.get('notify:0')).toMatchObject({ state: 'succeeded', attempts: 3 });
  });

  it('given a step that is not due yet, when the run is looked at early, then it waits on', async () => {
    const run = new TestRun(aFlow(twoSteps), failing('contact', 1), { event: { to: 'x', count: 1 } });
    const { at } = (await run.advance()) as { at: Date };
    expect(await run.advance()).toMatchObject({ kind: 'retry', at, entries: [] });
    expect(run.calls).toHaveLength(1);
  });

  it('given an error that trying again cannot help, when it is thrown, then onFailure is executed at once with the error', async () => {
    const flow = aFlow(`${twoSteps}
onFailure:
  - { uses: test.notify, with: { text: "{{run.error.step}}: {{run.error.message}}" } }`);
    const run = new TestRun(flow, failing('contact', 1, 'http.rejected'), { event: { to: 'x', count: 1 } });

    expect(await run.advance()).toMatchObject({
      kind: 'failed',
      failed: ['contact'],
      error: { step: 'contact', code: 'http.rejected' },
    });
    expect(run.calls.map((call) => call.input)).toEqual([{ text: 'x' }, { text: 'contact: no' }]);
    expect(run.states).toEqual({ contact: 'failed', 'onFailure-1': 'succeeded' });
  });

  it('given attempts that are used up, when the last one fails, then the run is given up', async () => {
    const run = new TestRun(
      aFlow(`${twoSteps}\nretry: { attempts: 3, backoff: fixed, delay: 1s }`),
      failing('contact', 9),
      { event: { to: 'x', count: 1 } },
    );
    expect(await run.finish()).toMatchObject({ kind: 'failed', error: { step: 'contact' } });
    expect(run.calls).toHaveLength(3);
  });

  it('given a step with onError: continue, when it fails, then the rest goes on and it is retried by itself', async () => {
    const flow = aFlow(`
steps:
  - { id: side, uses: test.notify, onError: continue, retry: { attempts: 2 } }
  - { id: main, uses: test.notify }`);
    const healed = new TestRun(flow, failing('side', 1));
    expect(await healed.advance()).toMatchObject({ kind: 'retry', isPastMainLine: true, error: { step: 'side' } });
    expect(healed.states).toEqual({ side: 'retrying', main: 'succeeded' });
    expect(await healed.finish()).toMatchObject({ kind: 'completed', failed: [] });

    const lost = new TestRun(flow, failing('side', 9));
    expect(await lost.finish()).toMatchObject({ kind: 'completed', failed: ['side'] });
  });

  it('given a side that asks to be left alone, when it is called again, then no attempt is used up, for at most 72 hours', async () => {
    const flow = aFlow('steps: [{ id: a, uses: test.notify, retry: { attempts: 1 } }]');
    const run = new TestRun(flow, () => {
      throw new PatchbayError('http.throttled', { retryAfterMs: 3_600_000 });
    });
    expect(await run.advance()).toMatchObject({ kind: 'retry', at: new Date(run.now.getTime() + 3_600_000) });
    expect(await run.finish()).toMatchObject({ kind: 'failed', error: { code: 'http.throttled' } });
    expect(run.calls).toHaveLength(73);
    expect(run.journal.get('a:0')).toMatchObject({ attempts: 0, state: 'failed' });
  });

  it('given a condition that does not hold, when the step is reached, then it is skipped', async () => {
    const run = new TestRun(
      aFlow('steps: [{ id: a, uses: test.notify, where: { event.x: 1 } }, { id: b, uses: test.notify }]'),
    );
    expect(await run.advance()).toMatchObject({ kind: 'completed' });
    expect(run.states).toEqual({ a: 'skipped', b: 'succeeded' });
  });

  it('given forEach, when it is executed, then each item is a call with its own key, and the outputs are a list', async () => {
    const flow = aFlow(`
steps:
  - { id: each, uses: test.notify, forEach: "{{event.items}}", with: { text: "{{item.name}}", count: "{{index}}" } }
  - { id: all, uses: test.notify, with: { data: "{{steps.each}}" } }`);
    const run = new TestRun(flow, (call) => ({ for: (call.input as { text?: string }).text }), {
      event: { items: [{ name: 'a' }, { name: 'b' }] },
    });
    expect(await run.advance()).toMatchObject({ kind: 'completed' });
    expect(run.calls.map((call) => call.idempotencyKey)).toEqual(['run-1-each-0', 'run-1-each-1', 'run-1-all']);
    expect(run.calls[2]?.input).toEqual({ data: [{ for: 'a' }, { for: 'b' }] });
  });

  it('given forEach over something else than a list, or over too much, when it is reached, then the run fails with flow.input', async () => {
    const flow = aFlow('steps: [{ id: each, uses: test.notify, forEach: "{{event.items}}" }]');
    for (const items of ['text', Array.from({ length: 1_001 }, () => 1)]) {
      expect(await new TestRun(flow, undefined, { event: { items } }).advance()).toMatchObject({
        kind: 'failed',
        error: { code: 'flow.input' },
      });
    }
  });

  it('given an input that does not fit, when it is rendered, then the error names flow, step, field and value', async () => {
    const run = new TestRun(aFlow(twoSteps), () => ({ id: 'x' }), { event: { to: 'x', count: 'many' } });
    const outcome = await run.advance();
    expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'flow.input', step: 'notify' } });
    expect((outcome as { error: { message: string } }).error.message).toMatch(
      /step notify of example.*count.*number.*"many"/,
    );
  });

  it('given a value from the environment that does not fit, when it is refused, then it is not shown', async () => {
    const run = new TestRun(aFlow('steps: [{ id: a, uses: test.notify, with: { count: "{{env.KEY}}" } }]'), undefined, {
      env: { KEY: 'hush' },
    });
    expect(JSON.stringify(await run.advance())).not.toContain('hush');
  });

  it('given a step that takes too long, when its time is over, then it fails with step.timeout even if it ignores its signal', async () => {
    const run = new TestRun(
      aFlow('steps: [{ id: a, uses: test.notify, timeout: 20ms }]'),
      () => new Promise(() => undefined),
    );
    expect(await run.advance()).toMatchObject({ kind: 'retry', error: { code: 'step.timeout' } });
  });

  it('given a flow with a timeout, when the run is older, then it fails with flow.timeout, after a restart too', async () => {
    const flow = aFlow(
      'timeout: 3s\nsteps: [{ id: a, uses: test.notify }]\nonFailure: [{ id: tell, uses: test.notify, with: { text: "{{run.error.code}}" } }]',
    );
    const run = new TestRun(flow, failing('a', 9));
    expect(await run.finish()).toMatchObject({ kind: 'failed', error: { step: 'a', code: 'flow.timeout' } });
    expect(run.calls.map((call) => call.step)).toEqual(['a', 'a', 'tell']);
    expect(await run.advance()).toMatchObject({ kind: 'failed', error: { code: 'flow.timeout' }, entries: [] });
  });

  it('given a signal that is raised, when a call is rejected because of it, then no attempt is used up', async () => {
    const stop = new AbortController();
    const run = new TestRun(aFlow(twoSteps), failing('notify', 1), {
      event: { to: 'x', count: 1 },
      signal: stop.signal,
    });
    const outcome = await run.advance({
      call: async (call) => {
        if (call.step === 'contact') return { id: '1' };
        stop.abort();
        throw new Error('aborted');
      },
    });
    expect(outcome).toEqual({ kind: 'interrupted', entries: [] });
    expect(run.states).toEqual({ contact: 'succeeded' });
  });

  it('given an output that is too large, when the step ends, then it is not tried again', async () => {
    const run = new TestRun(aFlow('steps: [{ id: a, uses: test.notify }]'), () => ({ text: 'x'.repeat(70_000) }));
    expect(await run.advance()).toMatchObject({ kind: 'failed', error: { code: 'step.outputTooLarge' } });
    expect(run.calls).toHaveLength(1);
  });

  it('given an event that vanished, when the run is undone, then onReverted may use what the run did', async () => {
    const run = new TestRun(
      aFlow(`${twoSteps}\nonReverted: [{ uses: test.notify, with: { text: "undo {{steps.contact.id}}" } }]`),
      (call) => ({ id: call.step }),
      { event: { to: 'x', count: 1 } },
    );
    await run.advance();
    expect(await run.advance({ line: 'onReverted' })).toMatchObject({ kind: 'completed' });
    expect(run.calls.at(-1)).toMatchObject({ step: 'onReverted-1', input: { text: 'undo contact' } });
  });

  it('given a fault that is unknown, when it is thrown, then it is tried again as internal', async () => {
    const run = new TestRun(aFlow('steps: [{ id: a, uses: test.notify }]'), () => {
      throw new TypeError('oops');
    });
    expect(await run.advance()).toMatchObject({ kind: 'retry', error: { code: 'internal', message: 'oops' } });
  });

  it('given any run and any prefix of its journal, when it resumes, then it comes to the same end', async () => {
    const flow = aFlow(`
steps:
  - { id: a, uses: test.notify }
  - { id: b, uses: test.notify, onError: continue, retry: { attempts: 2 } }
  - { id: c, uses: test.notify, forEach: "{{event.items}}", with: { data: "{{item}}" }, onError: continue, retry: { attempts: 2 } }
  - { id: d, uses: test.notify, where: { event.items.0: 1 } }
onFailure:
  - { id: e, uses: test.notify, with: { text: "{{run.error.code}}" } }`);
    const codes = [undefined, 'connection.refused', 'http.rejected', 'http.throttled'] as const;
    const fate = fc.record({
      items: fc.array(fc.constantFrom(1, 2), { maxLength: 3 }),
      fates: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom(...codes)),
      cut: fc.nat({ max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fate, async ({ items, fates, cut }) => {
        const answer = ({ step }: Call) => {
          const code = fates[step];
          if (code) throw new PatchbayError(code, { retryAfterMs: 12 * 3_600_000 });
          return { ok: step };
        };
        const whole = new TestRun(flow, answer, { event: { items } });
        const end = await whole.finish();

        const resumed = new TestRun(flow, answer, { event: { items } });
        resumed.keep([...whole.journal.values()].slice(0, cut));
        expect({ ...(await resumed.finish()), entries: [] }).toEqual({ ...end, entries: [] });
        expect(resumed.states).toEqual(whole.states);
      }),
      { numRuns: 200 },
    );
  });
});

describe('acceptance of an event', () => {
  it('given conditions and keys, when an event comes, then the flow takes it under its keys or says why not', () => {
    const text = `idempotencyKey: "{{event.id}}"\norderingKey: "to-{{event.to}}"\nsteps: [{ uses: test.notify }]`;
    const flow = aFlow(text.replace('steps', 'enabled: true\nsteps'));
    expect(flow.accept({ id: 5, to: 'x' }, {})).toEqual({ takes: true, idempotencyKey: '5', orderingKey: 'to-x' });
    expect(() => flow.accept({ to: 'x' }, {})).toThrow(expect.objectContaining({ code: 'template.missingValue' }));
    expect(() => flow.accept({ id: null, to: 'x' }, {})).toThrow(
      expect.objectContaining({ code: 'template.missingValue' }),
    );
  });
});
