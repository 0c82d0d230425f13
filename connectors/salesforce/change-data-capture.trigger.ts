import { defineTrigger, z } from '#sdk';
import { ChangeCapture, changeSchema } from './change-capture.js';
import { channelOf } from './change-event.js';
import { checkNames } from './checks.js';
import { salesforceOrg } from './connection.js';
import { fieldName, objectName } from './field-schemas.js';

export const changeDataCapture = defineTrigger({
  title: 'Record changed (change data capture)',
  summary: 'Starts a run for every record of an object that is created, updated, deleted or undeleted.',
  connection: salesforceOrg,
  input: z.object({
    object: z.union([objectName(), z.array(objectName()).min(1).max(20)]).meta({
      title: 'Object',
      description: 'One or several; each is selected in Setup, Change Data Capture.',
      examples: ['Account', 'Invoice__c'],
    }),
    channel: z
      .string()
      .regex(/^(ChangeEvents|\w+__chn)$/, 'must be ChangeEvents or the name of a custom channel, ending in __chn')
      .optional()
      .meta({
        title: 'Channel',
        description: 'Instead of the channels of the objects: one of the org, such as Ledger__chn.',
      }),
    fields: z.array(fieldName()).min(1).optional().meta({
      title: 'Fields that matter',
      description: 'Updates of other fields are left out, and so are their values. If absent: all.',
    }),
    start: z.enum(['new', 'earliest']).default('new').meta({
      title: 'First start',
      description: 'With what happens from now on, or with all that Salesforce still keeps (72 hours).',
    }),
    onExpired: z.enum(['reconcile', 'earliest', 'new', 'fail']).default('reconcile').meta({
      title: 'After a loss',
      description: 'When Salesforce no longer keeps the place: look up what changed since, or go on without.',
    }),
  }),
  event: changeSchema,
  examples: [{ object: 'Account' }, { object: ['Account', 'Invoice__c'], fields: ['Name'] }],

  check: checkNames,
  async listen(context) {
    const { object, channel } = context.input;
    const objects = [object].flat();
    const channels =
      channel === undefined
        ? objects.map((name) => ({ channel: channelOf(name), objects: [name] }))
        : [{ channel: `/data/${channel}`, objects }];
    await new ChangeCapture(context).listen(channels);
  },
});
