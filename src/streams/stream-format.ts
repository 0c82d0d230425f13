import { hash } from 'node:crypto';
import type { StreamDefinition } from './stream.schema.js';
import type { StreamBatch, StreamEvent } from './stream.js';

export interface FormattedEvents {
  readonly contentType: string;
  readonly body: string;
}

/** What a consumer gets to read. The same batch gives the same text, letter by letter. */
export function formatEvents(format: StreamDefinition['format'], { events }: StreamBatch): FormattedEvents {
  switch (format) {
    case 'cloudevents':
      return { contentType: 'application/cloudevents-batch+json', body: `[${events.map(eventJson).join(',')}]` };
  }
}

const texts = new WeakMap<StreamEvent, string>();

/** The event as JSON; made once. */
export function eventJson(event: StreamEvent): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const text = JSON.stringify(event);
  texts.set(event, text);
  return text;
}

/** Follows from what the batch holds, so that it is the same on every attempt. Has no full stop, as Standard Webhooks wants. */
export function batchId(streamId: string, consumer: string, events: readonly StreamEvent[]): string {
  return `batch_${hash('sha256', `${streamId}\0${consumer}\0${events.map(({ id }) => id).join('\0')}`, 'hex').slice(0, 32)}`;
}

/** Says that an event which was delivered is gone for good. */
export function revertedOf(original: StreamEvent): StreamEvent {
  return {
    ...original,
    id: `${original.id}:reverted`,
    type: `${original.type}.reverted`,
    data: { ...original.data, reverted: original.id },
  };
}
