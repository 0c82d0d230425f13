import { PatchbayError, type HttpClient } from '#sdk';
import type { StreamBatch, StreamTarget } from '../stream.js';
import { jsonWithEvents } from '../stream-format.js';
import { awsClientConfig, awsError } from './aws-client.js';
import type { LambdaSettings } from './aws-settings.js';

export interface AwsTargetDeps {
  readonly http: HttpClient;
}

const excerptLength = 300;

/**
 * Invokes the function once per batch, with `{ id, number, stream, events }` as its payload. With `request` the batch is the
 * function's once it has ended without an error; with `event` once AWS has queued it. The same batch can come twice: `id`
 * tells.
 */
export function createLambdaTarget(settings: LambdaSettings, { http }: AwsTargetDeps): StreamTarget {
  const { functionName, invocation } = settings;
  const what = `The function ${functionName}`;
  let opened: ReturnType<typeof open> | undefined;

  /** The SDK is loaded by the first batch: most hubs never need it. */
  async function open() {
    const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
    return { InvokeCommand, client: new LambdaClient(awsClientConfig(settings, http)) };
  }

  /** The next batch loads it anew. */
  function forget(error: unknown): never {
    opened = undefined;
    throw error;
  }

  async function invoke({ id, number, stream, events }: StreamBatch, signal: AbortSignal) {
    const { InvokeCommand, client } = await (opened ??= open().catch(forget));
    const command = new InvokeCommand({
      FunctionName: functionName,
      InvocationType: invocation === 'event' ? 'Event' : 'RequestResponse',
      Payload: Buffer.from(jsonWithEvents({ id, number, stream }, events)),
    });
    return client.send(command, { abortSignal: signal });
  }

  return {
    async deliver(batch, signal) {
      signal.throwIfAborted();
      const answer = await invoke(batch, signal).catch((error: unknown) => {
        throw awsError(error, what);
      });
      if (answer.FunctionError === undefined) return;
      throw new PatchbayError('stream.refused', {
        detail: `${what} failed (${answer.FunctionError}): ${reasonIn(answer.Payload)}`,
        fix: 'Its log group in CloudWatch tells more.',
      });
    },
    async close() {
      (await opened)?.client.destroy();
    },
  };
}

/** The function's own message when it gave one; else the beginning of what it answered. */
function reasonIn(payload: Uint8Array | undefined): string {
  const text = Buffer.from(payload ?? []).toString('utf8');
  try {
    const { errorType, errorMessage } = JSON.parse(text) as { errorType?: unknown; errorMessage?: unknown };
    if (typeof errorMessage === 'string') {
      const prefix = typeof errorType === 'string' ? `${errorType}: ` : '';
      return `${prefix}${errorMessage}`.slice(0, excerptLength);
    }
  } catch {
    // What is not JSON is shown as it is.
  }
  return text.slice(0, excerptLength);
}
