import { describe, expect, it } from '@jest/globals';
import { PatchbayError, Secret } from '#sdk';
import { createLog, runWithLogContext } from './log.js';

function aLog(format: 'json' | 'pretty' = 'json', level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, format }, { write: (line) => void lines.push(line) });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the log', () => {
  it('given a context, when something far inside writes, then the entry carries its fields', async () => {
    const { log, entries } = aLog();

    await runWithLogContext({ flow: 'large-transfer' }, () =>
      runWithLogContext({ run: 'r1' }, async () => {
        await Promise.resolve();
        log.with({ connector: 'evm' }).info('A run has started', { attempt: 1 });
      }),
    );

    expect(entries()).toEqual([
      expect.objectContaining({
        level: 'info',
        message: 'A run has started',
        flow: 'large-transfer',
        run: 'r1',
        connector: 'evm',
        attempt: 1,
      }),
    ]);
  });

  it('given secrets in fields, when they are logged, then none is readable', () => {
    const { log, lines } = aLog();

    log.info('A connection was opened', {
      key: new Secret('s3cr3t'),
      headers: { Authorization: 'Bearer s3cr3t' },
      list: [{ password: 's3cr3t' }],
    });

    expect(lines.join('')).not.toContain('s3cr3t');
    expect(lines.join('')).toContain('***');
  });

  it('given an error with a cause, when it is logged, then code, fix and cause can be read', () => {
    const { log, entries } = aLog();

    log.error('A step has failed', {
      error: new PatchbayError('evm.reverted', {
        detail: 'No allowance',
        fix: 'Raise it.',
        cause: new Error('0x08c3'),
      }),
      amount: 10n ** 20n,
    });

    expect(entries()[0]).toMatchObject({
      error: { code: 'evm.reverted', message: 'No allowance', fix: 'Raise it.', cause: { message: '0x08c3' } },
      amount: '100000000000000000000',
    });
  });

  it('given the pretty format, when something is logged, then it is one readable line', () => {
    const { log, lines } = aLog('pretty');

    log.warn('A listener was restarted', { trigger: 'evm.contractEvent', reason: 'a\nb' });

    expect(lines).toHaveLength(1);
    expect(lines[0]?.replace(/\x1b\[\d+m/g, '')).toMatch(
      /^\d\d:\d\d:\d\d warn {2}A listener was restarted trigger=evm.contractEvent reason="a\\nb"\n$/,
    );
  });

  it('given the level info, when debug is written, then nothing appears', () => {
    const { log, lines } = aLog();

    log.debug('Something small');

    expect(lines).toEqual([]);
  });
});
