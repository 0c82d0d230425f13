import { z } from '#sdk';

export const connectionAnswer = z.object({
  name: z.string(),
  connector: z.string(),
  origin: z.enum(['file', 'store']),
  isDefault: z.boolean(),
  isOpen: z.boolean(),
  settings: z.record(z.string(), z.unknown()).meta({ description: 'Without secrets' }),
  status: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'What the connector knows of the open connection, such as what is left of a quota' }),
});
