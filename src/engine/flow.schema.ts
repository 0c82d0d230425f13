import { duration, z } from '#sdk';
import { forbiddenNames } from './path.js';

const uses = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]*\.[a-zA-Z][a-zA-Z0-9_]*$/, 'must name a connector and what it offers')
  .meta({ examples: ['http.request'] });

const inputs = z.record(z.string(), z.unknown());

const wait = duration().refine((ms) => ms > 0, 'must be longer than nothing');

export const retrySchema = z.strictObject({
  attempts: z.int().min(1).max(1_000).optional().describe('How often it is tried in all. Default 8.'),
  backoff: z
    .enum(['fixed', 'exponential'])
    .optional()
    .describe('Whether waiting times stay or double. Default exponential.'),
  delay: wait.optional().describe('The first waiting time. Default 2s.'),
});

const common = {
  uses: uses.describe('What is used: connector.name from the catalogue.'),
  connection: z
    .string()
    .min(1)
    .optional()
    .describe("Which credentials or network. Default: the connector's default connection."),
  with: inputs.optional().describe('The inputs.'),
  where: inputs.optional().describe('Conditions that must all hold.'),
};

export const triggerSchema = z.strictObject(common);

export const stepSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-zA-Z][a-zA-Z0-9_]*$/, 'must begin with a letter and consist of letters, digits and _')
    .refine((id) => !forbiddenNames.has(id), 'is reserved')
    .meta({ examples: ['contact'] })
    .optional()
    .describe('The name under which later steps find its output.'),
  ...common,
  forEach: z.string().min(1).optional().describe('A template that gives a list: the step is done once for each item.'),
  onError: z
    .enum(['stop', 'continue'])
    .optional()
    .describe('stop: the run waits here. continue: the run goes on. Default stop.'),
  retry: retrySchema.optional().describe('How often and when the step is tried again.'),
  timeout: wait.optional().describe('One attempt is given up after this time.'),
});

const steps = z.array(stepSchema).max(100);

/** The whole grammar. An unknown key is a fault, so that a slip of the fingers never passes as an option. */
export const flowSchema = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be in kebab-case')
    .meta({ examples: ['large-transfer'] })
    .describe('Unique name, in kebab-case.'),
  description: z.string().optional().describe('One sentence on what the flow does.'),
  trigger: triggerSchema.describe('What starts a run.'),
  steps: steps.min(1).describe('What is done, in order.'),
  onFailure: steps.optional().describe('Steps to do when the run is given up.'),
  onReverted: steps
    .optional()
    .describe('Steps to do when the event vanished in a reorganisation after it had started a run.'),
  idempotencyKey: z.string().min(1).optional().describe('A template; one run per value. Default: the id of the event.'),
  orderingKey: z.string().min(1).optional().describe('A template; runs with the same value go one after another.'),
  retry: retrySchema.optional().describe('How often and when steps are tried again.'),
  concurrency: z.int().min(1).max(10_000).optional().describe('At most so many runs at a time.'),
  timeout: wait.optional().describe('A run is given up after this time.'),
  enabled: z.boolean().optional().describe('false pauses the flow. Default true.'),
});

export type FlowDocument = z.output<typeof flowSchema>;
export type StepDocument = z.output<typeof stepSchema>;
export type RetryDocument = z.output<typeof retrySchema>;
