import { z } from '#sdk';

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema' });

const part = z.object({
  uses: z.string().meta({ description: 'What a flow writes to use it' }),
  title: z.string(),
  summary: z.string(),
  input: jsonSchema,
  output: jsonSchema,
  examples: z.array(z.unknown()),
  repeatable: z.string().optional(),
});

export const catalogAnswer = z.object({
  connectors: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      summary: z.string(),
      connection: z.object({ title: z.string(), settings: jsonSchema }).optional(),
      triggers: z.array(part),
      actions: z.array(part),
    }),
  ),
});
