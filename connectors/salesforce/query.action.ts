import { defineAction, z } from '#sdk';
import { checkQuery } from './checks.js';
import { salesforceOrg } from './connection.js';
import { bindSoql } from './soql-parameters.js';

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const query = defineAction({
  title: 'Query records',
  summary: 'Finds records with SOQL.',
  connection: salesforceOrg,
  input: z.object({
    soql: z
      .string()
      .min(1)
      .meta({ title: 'SOQL', examples: ['SELECT Id, Name FROM Contact WHERE Wallet__c = :wallet'] }),
    parameters: z
      .record(z.string(), z.union([value, z.array(value)]))
      .default({})
      .meta({
        title: 'Parameters',
        description:
          'Values for the :names in the query, quoted and escaped. Never put a value of an event into the query itself.',
      }),
    limit: z.number().int().min(1).max(10_000).default(200).meta({ title: 'At most so many records' }),
  }),
  output: z.object({
    records: z.array(z.record(z.string(), z.unknown())),
    totalSize: z.number().int(),
    isCut: z.boolean().meta({ description: 'There are more records than the limit.' }),
  }),
  examples: [
    {
      soql: 'SELECT Id, Name FROM Contact WHERE Wallet__c = :wallet',
      parameters: { wallet: '0x5fbdb2315678afecb367f032d93f642f64180aa3' },
    },
  ],
  repeatable: 'It changes nothing; done again it reads the records as they are then.',
  check: (context) => checkQuery(context, '/soql', context.input['soql'], false),
  run: ({ input: { soql, parameters, limit }, client, signal }) =>
    client.query(bindSoql(soql, parameters), limit, signal),
});
