import { describe, expect, it } from '@jest/globals';
import { aTerminal } from '../../test/builders/terminal.js';
import { createProgressBar } from './progress-bar.js';

describe('progress', () => {
  it('given a terminal, when work goes on, then one line shows done, total, rate and time left', () => {
    const terminal = aTerminal({ width: 100 });
    let now = 0;
    const bar = createProgressBar('blocks', terminal, () => now);

    bar.update(0, 400);
    now = 2_000;
    bar.update(100, 400, '7 events');
    bar.end();

    const last = terminal.stderr().split('\r').at(-1);
    expect(last).toBe('\u001b[Kblocks  ██████░░░░░░░░░░░░░░░░░░  100/400  50/s  6 s left  7 events\n');
  });

  it('given no terminal, when work goes on, then there is a plain line every 10 s and one at the end', () => {
    const terminal = aTerminal();
    let now = 0;
    const bar = createProgressBar('blocks', terminal, () => now);

    for (let second = 1; second <= 25; second += 1) {
      now = second * 1_000;
      bar.update(second, 25);
    }
    bar.end();

    expect(terminal.stderr().trimEnd().split('\n')).toEqual([
      'blocks  10/25  1.0/s  15 s left',
      'blocks  20/25  1.0/s  5 s left',
      'blocks  25/25  1.0/s',
    ]);
  });

  it('given work that had nothing to do, when it ends, then nothing is said', () => {
    const terminal = aTerminal();

    createProgressBar('blocks', terminal).end();

    expect(terminal.stderr()).toBe('');
  });
});
