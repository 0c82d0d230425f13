import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Exchange, Reply, StandIn } from '../stand-in.js';
import { signatureFault, type AwsCredentials } from './signature.js';

/** What goes wrong inside AWS, rather than on the way; `times` calls see it, 1 if absent. */
export type AwsFault = z.output<typeof awsFault>;

export const awsFault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('throttle'), times: z.number().int().min(1).default(1) }),
  z.strictObject({
    kind: z.literal('functionError'),
    message: z.string().default('It failed'),
    times: z.number().int().min(1).default(1),
  }),
  z.strictObject({
    kind: z.literal('partialFailure'),
    everyNth: z.number().int().min(1).default(2),
    times: z.number().int().min(1).default(1),
  }),
]);

export interface PutRecord {
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly shardId: string;
  /** As text. */
  readonly data: string;
}

export interface Invocation {
  readonly functionName: string;
  readonly type: string;
  readonly payload: unknown;
}

export interface AwsOptions {
  readonly credentials: AwsCredentials;
  readonly functions: readonly string[];
  readonly streams: readonly string[];
  /** Shards of each stream. Default 2. */
  readonly shards?: number;
}

export interface AwsStandIn extends StandIn {
  readonly records: ReadonlyMap<string, readonly PutRecord[]>;
  readonly invocations: readonly Invocation[];
  addFault(fault: AwsFault): void;
  clearFaults(): void;
  waitingFaults(): readonly AwsFault[];
}

const putRecords = z.object({
  StreamName: z.string(),
  Records: z
    .array(z.object({ Data: z.base64(), PartitionKey: z.string().min(1).max(256) }))
    .min(1)
    .max(500),
});
const jsonType = 'application/x-amz-json-1.1';
const mostBytes = 5 * 1_048_576;
const mostRecordBytes = 1_048_576;
const mostPayloadBytes = { Event: 1_048_576, RequestResponse: 6 * 1_048_576 } as const;
const mostKept = 10_000;

/** Plays AWS Lambda (Invoke) and Kinesis Data Streams (PutRecords): their protocols, limits, errors and signatures. */
export function createAwsStandIn({ credentials, functions, streams, shards = 2 }: AwsOptions): AwsStandIn {
  const records = new Map<string, PutRecord[]>(streams.map((name) => [name, []]));
  const invocations: Invocation[] = [];
  let faults: AwsFault[] = [];
  let sequence = 0n;

  function takeFault<K extends AwsFault['kind']>(kind: K): Extract<AwsFault, { kind: K }> | undefined {
    const index = faults.findIndex((fault) => fault.kind === kind);
    const found = faults[index];
    if (found === undefined) return undefined;
    if (found.times === 1) faults.splice(index, 1);
    else faults[index] = { ...found, times: found.times - 1 };
    // Found by its kind.
    return found as Extract<AwsFault, { kind: K }>;
  }

  function invoke(name: string, { headers, rawBody, body }: Exchange): Reply {
    const type = headers['x-amz-invocation-type'] ?? 'RequestResponse';
    if (takeFault('throttle') !== undefined) {
      return lambdaError(429, 'TooManyRequestsException', 'Rate Exceeded.', { 'retry-after': '1' });
    }
    if (type !== 'Event' && type !== 'RequestResponse') {
      return lambdaError(400, 'InvalidParameterValueException', `Unknown invocation type ${type}`);
    }
    if (!functions.includes(name)) {
      return lambdaError(404, 'ResourceNotFoundException', `Function not found: ${name}`);
    }
    if (rawBody.length > mostPayloadBytes[type]) {
      return lambdaError(
        413,
        'RequestTooLargeException',
        `Request must be smaller than ${mostPayloadBytes[type]} bytes`,
      );
    }
    if (rawBody.length > 0 && typeof body === 'string') {
      return lambdaError(400, 'InvalidRequestContentException', 'Could not parse request body into json');
    }
    invocations.push({ functionName: name, type, payload: body });
    if (invocations.length > mostKept) invocations.shift();
    if (type === 'Event') return { status: 202, headers: requestId() };
    const failure = takeFault('functionError');
    const answer = { status: 200, headers: { ...requestId(), 'x-amz-executed-version': '$LATEST' } };
    if (failure === undefined) return { ...answer, body: { ok: true } };
    return {
      ...answer,
      headers: { ...answer.headers, 'x-amz-function-error': 'Unhandled' },
      body: { errorType: 'Error', errorMessage: failure.message, trace: [] },
    };
  }

  function put({ body }: Exchange): Reply {
    if (takeFault('throttle') !== undefined) {
      return kinesisError('ProvisionedThroughputExceededException', 'Rate exceeded for the stream');
    }
    const wanted = putRecords.safeParse(body);
    if (!wanted.success) return kinesisError('ValidationException', z.prettifyError(wanted.error));
    const { StreamName, Records } = wanted.data;
    const kept = records.get(StreamName);
    if (kept === undefined) return kinesisError('ResourceNotFoundException', `Stream ${StreamName} not found.`);
    const sizes = Records.map(
      ({ Data, PartitionKey }) => Buffer.byteLength(Data, 'base64') + Buffer.byteLength(PartitionKey),
    );
    if (sizes.some((size) => size > mostRecordBytes) || sizes.reduce((sum, size) => sum + size, 0) > mostBytes) {
      return kinesisError('InvalidArgumentException', 'Records size exceeds 5 MB limit, or a record 1 MB');
    }
    const failure = takeFault('partialFailure');
    const results = Records.map(({ Data, PartitionKey }, index) => {
      if (failure !== undefined && (index + 1) % failure.everyNth === 0) {
        return {
          ErrorCode: 'ProvisionedThroughputExceededException',
          ErrorMessage: `Rate exceeded for shard ${shardOf(PartitionKey)} in stream ${StreamName}.`,
        };
      }
      sequence += 1n;
      const place = { sequenceNumber: sequence.toString().padStart(56, '4'), shardId: shardOf(PartitionKey) };
      kept.push({ partitionKey: PartitionKey, ...place, data: Buffer.from(Data, 'base64').toString('utf8') });
      return { SequenceNumber: place.sequenceNumber, ShardId: place.shardId };
    });
    if (kept.length > mostKept) kept.splice(0, kept.length - mostKept);
    const FailedRecordCount = results.filter(({ ErrorCode }) => ErrorCode !== undefined).length;
    return {
      status: 200,
      headers: { 'content-type': jsonType, ...requestId() },
      body: { FailedRecordCount, Records: results },
    };
  }

  function shardOf(partitionKey: string): string {
    const [first = 0] = createHash('md5').update(partitionKey).digest();
    return `shardId-${String(Math.floor((first * shards) / 256)).padStart(12, '0')}`;
  }

  return {
    name: 'aws',
    records,
    invocations,
    addFault: (fault) => void faults.push(fault),
    clearFaults: () => void (faults = []),
    waitingFaults: () => faults,
    reply(exchange) {
      const { method, path, headers } = exchange;
      const isKinesis = headers['content-type'] === jsonType;
      const answerError = isKinesis ? kinesisError : (name: string, message: string) => lambdaError(403, name, message);
      const fault = signatureFault({ ...exchange, path: `/aws${path}` }, credentials);
      if (fault !== undefined) return answerError(fault, 'The request is not signed as it should be.');
      if (method === 'POST' && headers['x-amz-target'] === 'Kinesis_20131202.PutRecords') return put(exchange);
      const [, functionName] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path) ?? [];
      if (method === 'POST' && functionName !== undefined) return invoke(decodeURIComponent(functionName), exchange);
      return answerError('UnknownOperationException', `The stand-in does not know ${method} ${path}`);
    },
  };
}

function lambdaError(status: number, name: string, message: string, headers: Reply['headers'] = {}): Reply {
  return {
    status,
    headers: { 'x-amzn-errortype': name, ...requestId(), ...headers },
    body: { Type: 'User', Message: message },
  };
}

function kinesisError(name: string, message: string): Reply {
  return { status: 400, headers: { 'content-type': jsonType, ...requestId() }, body: { __type: name, message } };
}

function requestId(): Record<string, string> {
  return { 'x-amzn-requestid': randomUUID() };
}
