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

const object = z.object({ name: z.string(), label: z.string() });

export const objectsAnswer = z.object({ objects: z.array(object) });

export const objectAnswer = object.extend({
  fields: z.array(
    object.extend({
      type: z.string(),
      length: z.number().int().optional(),
      isWritable: z.boolean(),
      isRequired: z.boolean(),
      isKey: z.boolean().meta({ description: 'A record can be found by it' }),
    }),
  ),
  sample: z.record(z.string(), z.unknown()).nullable().meta({ description: 'The record that was changed last' }),
});
