import { duration, secret, z } from '#sdk';

const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/, 'must be a region such as eu-central-1')
  .meta({ title: 'Region', examples: ['eu-central-1'] });

const endpoint = z
  .url({ protocol: /^https?$/ })
  .optional()
  .meta({
    title: 'Endpoint',
    description: 'A private endpoint or a stand-in. Default: the one of the region.',
  });

const credentials = z
  .strictObject({ accessKeyId: z.string().min(1), secretAccessKey: secret(), sessionToken: secret().optional() })
  .optional()
  .meta({
    title: 'Credentials',
    description:
      'Default: who the hub itself is to AWS, found as the AWS SDK does (environment, profile, role of the machine).',
  });

const timeout = duration().prefault('15s').meta({ title: 'Time-out', description: 'For one call. Default 15s.' });

/** Target `lambda`: each batch invokes a function. */
export const lambdaSettings = z.strictObject({
  type: z.literal('lambda'),
  region,
  functionName: z
    .string()
    .regex(/^[\w:.$/-]{1,170}$/, 'must be the name, the ARN or a qualified name of a function')
    .meta({ title: 'Function', description: 'Name or ARN, with :alias or :version if wanted.' }),
  invocation: z.enum(['request', 'event']).default('request').meta({
    title: 'Invocation',
    description: '`request` waits until the function has ended well; `event` until AWS has queued the call.',
  }),
  endpoint,
  credentials,
  timeout,
});

/** Target `kinesis`: each event becomes a record. */
export const kinesisSettings = z.strictObject({
  type: z.literal('kinesis'),
  region,
  streamName: z
    .string()
    .regex(/^[\w.-]{1,128}$/, 'must be the name of a data stream')
    .meta({ title: 'Data stream' }),
  partitionKey: z
    .enum(['contract', 'transaction', 'event', 'stream'])
    .default('contract')
    .meta({
      title: 'Partition key',
      description:
        'What shares a shard, and so an order: all events of a contract, of a transaction, none, or the whole stream. ' +
        'Records that Kinesis refuses are put again after the others of the same call.',
    }),
  endpoint,
  credentials,
  timeout,
});

export type LambdaSettings = z.output<typeof lambdaSettings>;
export type KinesisSettings = z.output<typeof kinesisSettings>;
