import { z } from '#sdk';

/** What the API answers about runs and events; times are RFC 3339 texts there. */
const error = z
  .object({
    code: z.string(),
    message: z.string(),
    fix: z.string().optional(),
    step: z.string().optional(),
    connection: z.string().optional().meta({ description: 'The connection that is waited for' }),
    refused: z
      .boolean()
      .optional()
      .meta({ description: 'By the trigger: it is executed only when a person retries it' }),
  })
  .nullable();

export const runAnswer = z.object({
  id: z.uuid(),
  flow: z.string(),
  version: z.string(),
  kind: z.string(),
  state: z.enum(['queued', 'running', 'completed', 'failed', 'cancelled']),
  event: z.uuid().meta({ description: 'Id of the event that started it' }),
  parent: z.uuid().nullable().meta({ description: 'The run that this one repeats' }),
  orderingKey: z.string().nullable(),
  failedSteps: z.array(z.string()),
  error,
  waitsFor: z
    .object({ connection: z.string() })
    .nullable()
    .meta({ description: 'A connection that needs authorisation; the run goes on by itself when it has it' }),
  dueAt: z.iso.datetime(),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});

const stepAnswer = z.object({
  step: z.string(),
  iteration: z.number().int(),
  state: z.string(),
  attempts: z.number().int(),
  input: z.unknown(),
  output: z.unknown(),
  error,
  retryAt: z.iso.datetime().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
});

export const runDetailAnswer = z.object({
  ...runAnswer.shape,
  steps: z.array(stepAnswer),
  data: z.unknown().meta({ description: 'The event as this run sees it' }),
});

export const runsAnswer = z.object({
  items: z.array(runAnswer),
  next: z.string().optional().meta({ description: 'Give this as `before` to go on; absent on the last page' }),
});

const eventAnswer = z.object({
  specversion: z.literal('1.0'),
  id: z.uuid(),
  source: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  data: z.unknown(),
  status: z.string(),
});

export const eventsAnswer = z.object({ items: z.array(eventAnswer) });

export const eventDetailAnswer = z.object({ ...eventAnswer.shape, runs: z.array(runAnswer) });

export const replayAnswer = z.object({
  events: z.number().int(),
  ignored: z.number().int().meta({ description: 'Events that the flow would not take now' }),
  runs: z.array(z.uuid()),
  calls: z
    .record(z.string(), z.number().int())
    .meta({ description: 'Calls that would be made at the most, by action' }),
});
