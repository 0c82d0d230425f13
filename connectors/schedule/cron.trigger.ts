import { CronExpressionParser } from 'cron-parser';
import { defineTrigger, z } from '#sdk';

export const cron = defineTrigger({
  title: 'At set times',
  summary: 'Starts a run at every time that a cron expression names.',
  input: z.object({
    cron: z
      .string()
      .refine(
        isCronExpression,
        'must be a cron expression of five fields (minute, hour, day, month, weekday) or six (seconds first)',
      )
      .meta({ title: 'Cron expression', examples: ['0 8 * * 1-5', '*/30 * * * * *'] }),
    timezone: z
      .string()
      .refine(isTimeZone, 'must be an IANA time zone such as Europe/Berlin')
      .default('UTC')
      .meta({ title: 'Time zone', examples: ['UTC', 'Europe/Berlin'] }),
  }),
  event: z.object({
    scheduledFor: z.iso.datetime({ offset: true }),
    cron: z.string(),
  }),
  examples: [{ cron: '0 8 * * 1-5', timezone: 'Europe/Berlin' }, { cron: '*/5 * * * *' }],
  schedule: (input) => ({ cron: input.cron, timezone: input.timezone }),
});

/** The parser would fill in missing fields; here a forgotten field is a fault. */
function isCronExpression(text: string): boolean {
  const fields = text.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) return false;
  try {
    // Asking for a time also refuses what can be read but never comes, such as 30 February.
    CronExpressionParser.parse(text, { tz: 'UTC' }).next();
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
