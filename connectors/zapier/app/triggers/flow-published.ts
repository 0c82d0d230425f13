import { hubTrigger } from './hub-trigger.js';

export const flowPublished = hubTrigger({
  key: 'flow_published',
  noun: 'Published Event',
  label: 'New Published Event',
  description: 'Triggers when a flow of the hub publishes an event to Zapier.',
  inputFields: [
    {
      key: 'event',
      label: 'Event',
      type: 'string',
      required: true,
      dynamic: 'published_event_list.id.name',
      helpText: 'Flows publish events with a step `zapier.publish`.',
    },
  ],
  outputFields: [
    { key: 'id', label: 'ID', type: 'string', primary: true },
    { key: 'event', label: 'Event', type: 'string' },
    { key: 'time', label: 'Time', type: 'datetime' },
  ],
  sample: {
    id: '2040e8bf-ce55-8998-a33d-71433dc91548:step-1',
    event: 'large_transfer',
    time: '2026-01-01T00:00:00.000Z',
  },
});
