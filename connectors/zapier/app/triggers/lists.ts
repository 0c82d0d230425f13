import type { Bundle, Trigger, ZObject } from 'zapier-platform-core';
import { askHub } from '../hub.js';

interface Choice {
  readonly id: string;
  readonly name: string;
}

/** What drop-downs are filled with. */
export const lists: readonly Trigger[] = [
  list('network_list', 'Network', 'networks'),
  list('contract_list', 'Contract', 'contracts'),
  list('event_list', 'Event', 'events'),
  list('function_list', 'Function', 'functions', { kind: 'read' }),
  list('sending_function_list', 'Sending Function', 'functions', { kind: 'send' }),
  list('flow_list', 'Flow', 'flows'),
  list('runnable_flow_list', 'Runnable Flow', 'runnable-flows'),
  list('published_event_list', 'Published Event', 'published-events'),
];

function list(key: string, noun: string, name: string, fixed: Readonly<Record<string, string>> = {}): Trigger {
  return {
    key,
    noun,
    display: {
      label: `List of ${noun}s`,
      description: `Triggers when a drop-down of ${noun.toLowerCase()}s is opened.`,
      hidden: true,
    },
    operation: {
      type: 'polling',
      canPaginate: true,
      perform: async (z: ZObject, bundle: Bundle) => {
        const { network, contract } = bundle.inputData;
        return askHub<Choice[]>(z, bundle, {
          path: `/zapier/lists/${name}`,
          params: { network, contract, ...fixed, page: bundle.meta?.page ?? 0 },
        });
      },
      sample: { id: 'example', name: 'Example' },
    },
  };
}
