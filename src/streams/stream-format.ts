import { hash } from 'node:crypto';
import { ethconnectEvents, fireflyEvents } from './old-formats.js';
import type { StreamDefinition } from './stream.schema.js';
import type { StreamBatch, StreamEvent } from './stream.js';

export interface FormattedEvents {
  readonly contentType: string;
  readonly body: string;
}

export type StreamShape = Pick<StreamDefinition, 'format' | 'labels'> & {
  readonly events?: StreamDefinition['events'];
};

/** What a consumer gets to read. The same batch gives the same text, letter by letter. */
export function formatEvents(shape: StreamShape, batch: StreamBatch): FormattedEvents {
  if (shape.format === 'cloudevents') {
    return { contentType: 'application/cloudevents-batch+json', body: eventsJson(batch.events) };
  }
  return {
    contentType: 'application/json',
    body: JSON.stringify(oldEvents({ ...shape, format: shape.format }, batch)),
  };
}

/** The events of a batch under the names that another gateway gave them. */
export function oldEvents(
  { format, labels, events = [] }: StreamShape & { readonly format: 'ethconnect' | 'firefly' },
  batch: StreamBatch,
): readonly Readonly<Record<string, unknown>>[] {
  const about = { events, labels };
  switch (format) {
    case 'ethconnect':
      return ethconnectEvents(batch, about);
    case 'firefly':
      return fireflyEvents(batch, about);
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

/** The list of them, as JSON. */
function eventsJson(events: readonly StreamEvent[]): string {
  return `[${events.map(eventJson).join(',')}]`;
}

/** An object with these fields and `events`, as JSON. */
export function jsonWithEvents(fields: object, events: readonly StreamEvent[]): string {
  return `${JSON.stringify(fields).slice(0, -1)},"events":${eventsJson(events)}}`;
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
