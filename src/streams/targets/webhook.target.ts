import { PatchbayError, parseSigningSecret, signWebhook, type HttpClient } from '#sdk';
import type { StreamTarget } from '../stream.js';
import { formatEvents, type StreamShape } from '../stream-format.js';
import type { WebhookSettings } from '../stream.schema.js';

export interface WebhookTargetDeps {
  readonly http: HttpClient;
  readonly shape: StreamShape;
}

/**
 * Posts each batch. Every attempt has the same `webhook-id` and the same body, also after a restart as long as the batch
 * holds the same events; timestamp and signature are new. Only 2xx means that the batch was taken.
 */
export function createWebhookTarget(settings: WebhookSettings, { http, shape }: WebhookTargetDeps): StreamTarget {
  const { url, headers, secret, timeout } = settings;
  const { origin, pathname } = new URL(url);
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
  const key = secret && parseSigningSecret(secret.reveal());
  return {
    endpoint: `${origin}${pathname}`,
    async check() {
      await http.assertAllowed(url).catch((error: unknown) => {
        // Who cannot be found or reached now may be there when there is something to deliver.
        if (error instanceof PatchbayError && error.code === 'target.forbidden') throw error;
      });
    },
    async deliver(batch, signal) {
      const { contentType, body } = formatEvents(shape, batch);
      const timestamp = Math.floor(Date.now() / 1_000).toString();
      const answer = await http
        .request({
          method: 'POST',
          url,
          headers: {
            ...own,
            'content-type': contentType,
            'patchbay-stream': batch.stream,
            'webhook-id': batch.id,
            'webhook-timestamp': timestamp,
            ...(key && { 'webhook-signature': signWebhook({ id: batch.id, timestamp, body }, [key]) }),
          },
          body,
          timeoutMs: timeout,
          accept: (status) => (status >= 200 && status < 300) || status === 410,
          redact: Object.values(own),
          signal,
        })
        .catch((error: unknown) => {
          throw refusalOf(PatchbayError.from(error));
        });
      if (answer.status !== 410) return;
      throw new PatchbayError('stream.ended', {
        detail: `${origin}${pathname} answered 410: it wants no more events.`,
        fix: 'Give the stream another address, or delete it.',
      });
    },
  };
}

/** Receivers are mended and their doors reopened: whatever they answer, the batch may be taken another time. */
function refusalOf(error: PatchbayError): PatchbayError {
  if (error.code !== 'http.rejected' && error.code !== 'connection.unauthorised') return error;
  return new PatchbayError('stream.refused', { detail: error.detail, cause: error });
}
