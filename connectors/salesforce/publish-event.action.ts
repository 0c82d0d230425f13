import { defineAction, PatchbayError, z } from '#sdk';
import { checkObject } from './checks.js';
import { salesforceOrg } from './connection.js';
import { recordFields } from './field-schemas.js';
import { faultsOfWrite } from './object-descriptions.js';
import { isAnswerLost } from './salesforce.errors.js';

export const publishEvent = defineAction({
  title: 'Publish a platform event',
  summary: 'Puts an event on the bus of the org, for its flows, triggers and other subscribers.',
  connection: salesforceOrg,
  input: z.object({
    event: z
      .string()
      .regex(/^[A-Za-z]\w*__e$/, 'must be the API name of a platform event, which ends in __e')
      .meta({ title: 'Platform event', examples: ['Transfer_Seen__e'] }),
    fields: recordFields(),
    onLostAnswer: z.enum(['publishAgain', 'fail']).default('publishAgain').meta({
      title: 'When the answer is lost',
      description: 'Published again it may arrive twice; failed it may not have arrived at all.',
    }),
  }),
  output: z.object({ id: z.string() }),
  examples: [{ event: 'Transfer_Seen__e', fields: { Key__c: '31337:0x5b1d:3', Amount__c: '25000' } }],
  repeatable:
    'Done again it publishes again: subscribers hear it at least once. Put a key into a field, such as the id of the event, so that they can tell.',
  check(context) {
    const { event, fields } = context.input;
    const written = typeof fields === 'object' && fields !== null ? { ...fields } : {};
    return checkObject(context, event, '/event', (description) =>
      faultsOfWrite(description, { operation: 'create', fields: written }),
    );
  },
  async run({ input: { event, fields, onLostAnswer }, client, signal }) {
    try {
      const { id } = await client.write({ operation: 'create', object: event, fields }, signal);
      return { id };
    } catch (error) {
      if (onLostAnswer === 'publishAgain' || !isAnswerLost(error)) throw error;
      throw new PatchbayError('salesforce.ambiguous', {
        detail: `The ${event} may have been published: ${PatchbayError.from(error).detail}`,
        fix: 'Ask a subscriber before you retry the run.',
        cause: error,
      });
    }
  },
});
