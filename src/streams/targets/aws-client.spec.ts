import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAwsStandIn, type AwsStandIn } from '../../../sandbox/aws/stand-in.js';
import { aHttpClient } from '../../../test/builders/action-call.js';
import { overlaid } from '../../../test/builders/overlaid.js';
import { startStandIn, type StandInServer } from '../../../test/builders/stand-in-server.js';
import type { StreamBatch, StreamTarget } from '../stream.js';
import { kinesisSettings, lambdaSettings } from './aws-settings.js';
import { createKinesisTarget } from './kinesis.target.js';
import { createLambdaTarget, type AwsTargetDeps } from './lambda.target.js';

const credentials = { accessKeyId: 'AKIDSANDBOX', secretAccessKey: 'sandbox-secret' };
const batch: StreamBatch = {
  id: 'b1',
  number: 1,
  stream: 'orders',
  events: [{ specversion: '1.0', id: 'e1', source: '/networks/dev', type: 'evm.contractEvent', data: {} }],
};
const calm = new AbortController().signal;

/** Their first reading fails, as loading the SDK may on a machine that has run out of files to open. */
function unreadableOnce<T extends { readonly credentials?: unknown }>(settings: T): T {
  let isRead = false;
  const members = {
    get credentials(): unknown {
      if (isRead) return settings.credentials;
      isRead = true;
      throw new Error('too many open files');
    },
  };
  return overlaid<{ readonly credentials?: unknown }>(settings, members) as T;
}

const targets: readonly (readonly [string, (at: object, deps: AwsTargetDeps) => StreamTarget])[] = [
  [
    'lambda',
    (at, deps) => {
      const settings = lambdaSettings.parse({ ...at, type: 'lambda', functionName: 'settle' });
      return createLambdaTarget(unreadableOnce(settings), deps);
    },
  ],
  [
    'kinesis',
    (at, deps) => {
      const settings = kinesisSettings.parse({ ...at, type: 'kinesis', streamName: 'events' });
      return createKinesisTarget(unreadableOnce(settings), deps);
    },
  ],
];

describe.each(targets)('a client of AWS that could not be made, for the target %s', (_name, create) => {
  let aws: AwsStandIn;
  let server: StandInServer;
  let target: StreamTarget;

  beforeEach(async () => {
    aws = createAwsStandIn({ credentials, functions: ['settle'], streams: ['events'] });
    server = await startStandIn(aws);
    const http = aHttpClient([new URL(server.url).host]);
    target = create({ region: 'eu-central-1', endpoint: server.url, credentials }, { http });
  });

  afterEach(() => server.stop());

  it('given the batch comes again, then it is made anew', async () => {
    await expect(target.deliver(batch, calm)).rejects.toThrow('too many open files');
    await target.deliver(batch, calm);

    expect(aws.invocations.length + (aws.records.get('events')?.length ?? 0)).toBe(1);
    await target.close?.();
  });

  it('given the stream ends, then it ends in order', async () => {
    await expect(target.deliver(batch, calm)).rejects.toThrow('too many open files');

    await expect(target.close?.()).resolves.toBeUndefined();
  });
});
