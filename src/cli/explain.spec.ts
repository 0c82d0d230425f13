import { describe, expect, it } from '@jest/globals';
import { aRunAnswer } from '../../test/builders/run-answer.js';
import { explainRun } from './explain.command.js';
import type { RunDetailAnswer } from './hub-answers.js';

const now = Date.parse('2026-03-01T12:00:00Z');
const run = aRunAnswer;
const step: RunDetailAnswer['steps'][number] = {
  step: 'pay',
  iteration: 0,
  state: 'succeeded',
  attempts: 1,
  input: {},
  output: {},
  error: null,
  retryAt: null,
  startedAt: '2026-03-01T11:59:00Z',
  finishedAt: '2026-03-01T11:59:01Z',
};

describe('explaining a run', () => {
  it('given a step that waits for its next try, when it is explained, then it says why and when', () => {
    const text = explainRun(
      {
        ...run,
        state: 'queued',
        dueAt: '2026-03-01T12:00:30Z',
        finishedAt: null,
        steps: [
          step,
          {
            ...step,
            step: 'tell',
            state: 'retrying',
            attempts: 3,
            retryAt: '2026-03-01T12:00:30Z',
            error: { code: 'http.failed', message: 'The other side answered 503.' },
          },
        ],
      },
      now,
    );

    expect(text).toBe(
      [
        'payments (r-1), begun 1 min ago:',
        '  pay succeeded.',
        '  tell failed 3 times: http.failed The other side answered 503. It is tried again in 30 s.',
        '  It waits for its next try in 30 s. Try it now: npx patchbay runs retry r-1',
      ].join('\n'),
    );
  });

  it('given a run that was given up, when it is explained, then it says what to do', () => {
    const text = explainRun(
      {
        ...run,
        state: 'failed',
        error: { step: 'pay', code: 'salesforce.data', message: 'The amount is missing.', fix: 'Correct the event.' },
      },
      now,
    );

    expect(text).toContain('given up at pay: salesforce.data The amount is missing. Correct the event.');
    expect(text).toContain('npx patchbay dead-letters retry r-1');
  });

  it('given a run behind another one of its ordering key, when it is explained, then it says that it waits for its turn', () => {
    expect(
      explainRun({ ...run, state: 'queued', startedAt: null, finishedAt: null, orderingKey: 'ann' }, now),
    ).toContain('waits for its turn');
  });

  it('given a run that went on without a step, when it is explained, then it names the step', () => {
    expect(explainRun({ ...run, failedSteps: ['tell'] }, now)).toContain('completed without tell');
  });
});
