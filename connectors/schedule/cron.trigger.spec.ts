import { describe, expect, it } from '@jest/globals';
import { cron } from './cron.trigger.js';

describe('schedule.cron', () => {
  it.each(['* * * * *', '0 8 * * 1-5', '*/30 * * * * *', '0 0 1 JAN *', '15,45 9-17 * * MON-FRI'])(
    'given the expression %s, when it is checked, then it is accepted',
    (expression) => {
      expect(cron.input.safeParse({ cron: expression }).success).toBe(true);
    },
  );

  it.each([
    '',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '0 0 30 2 *',
    '@daily',
    'every day',
    '*/0 * * * *',
  ])('given the expression "%s", when it is checked, then it is refused', (expression) => {
    expect(cron.input.safeParse({ cron: expression }).success).toBe(false);
  });

  it('given no time zone, when the schedule is asked for, then it is in UTC', () => {
    expect(cron.schedule?.(cron.input.parse({ cron: '0 8 * * *' }))).toEqual({ cron: '0 8 * * *', timezone: 'UTC' });
  });

  it('given a time zone that does not exist, when it is checked, then it is refused', () => {
    expect(cron.input.safeParse({ cron: '0 8 * * *', timezone: 'Europe/Atlantis' }).success).toBe(false);
  });
});
