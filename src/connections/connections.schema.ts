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
  needsAuthorisation: z
    .object({ reason: z.string(), fix: z.string().optional(), since: z.iso.datetime() })
    .optional()
    .meta({ description: 'Why the other side lets nobody in; runs that need the connection wait until that is over' }),
});
