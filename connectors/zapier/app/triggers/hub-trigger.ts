import { createHash } from 'node:crypto';
import type { Bundle, InputFields, OutputFields, Trigger, ZObject } from 'zapier-platform-core';
import { askHub } from '../hub.js';

export interface HubTrigger {
  readonly key: string;
  readonly noun: string;
  readonly label: string;
  /** "Triggers when … ." */
  readonly description: string;
  readonly inputFields: InputFields;
  readonly outputFields: OutputFields;
  readonly sample: Readonly<Record<string, unknown>>;
}

interface HubItem {
  readonly id: string;
}

/** For so long an event that comes again, because an answer to the hub was lost, is known. */
const knownForSeconds = 3_600;

/** A trigger whose events the hub posts: the same items as its samples, one or several in a request. */
export function hubTrigger({ key, noun, label, description, inputFields, outputFields, sample }: HubTrigger): Trigger {
  return {
    key,
    noun,
    display: { label, description },
    operation: {
      type: 'hook',
      inputFields,
      performSubscribe: async (z: ZObject, bundle: Bundle) => {
        const { burst, ...input } = bundle.inputData;
        return askHub<{ id: string }>(z, bundle, {
          method: 'POST',
          path: '/zapier/subscriptions',
          body: { targetUrl: bundle.targetUrl, trigger: key, input: filled(input), inBatch: burst === 'batch' },
        });
      },
      performUnsubscribe: async (z: ZObject, bundle: Bundle) => {
        const { id } = (bundle.subscribeData ?? {}) as { id?: string };
        if (id === undefined) return {};
        return askHub<{ id: string }>(z, bundle, {
          method: 'DELETE',
          path: `/zapier/subscriptions/${encodeURIComponent(id)}`,
        });
      },
      perform: async (z: ZObject, bundle: Bundle) => {
        const posted = bundle.cleanedRequest as HubItem | readonly HubItem[] | undefined;
        const items = [posted ?? []].flat() as HubItem[];
        const fresh: HubItem[] = [];
        for (const item of items) if (await isNew(z, bundle, item)) fresh.push(item);
        return fresh;
      },
      performList: async (z: ZObject, bundle: Bundle) => {
        const { burst: _, ...input } = bundle.inputData;
        return askHub<HubItem[]>(z, bundle, { path: `/zapier/samples/${key}`, params: input });
      },
      outputFields,
      sample: { ...sample },
    },
  };
}

/** Zapier does not drop what comes twice to a hook; the hub repeats only what it could not know to have arrived. */
async function isNew(z: ZObject, bundle: Bundle, { id }: HubItem): Promise<boolean> {
  const { id: subscription = '' } = (bundle.subscribeData ?? {}) as { id?: string };
  const name = `seen:${createHash('sha256').update(`${subscription} ${id}`).digest('hex')}`;
  try {
    if ((await z.cache.get(name)) !== null) return false;
    await z.cache.set(name, 1, knownForSeconds);
  } catch {
    // Better twice than not at all.
  }
  return true;
}

function filled(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined && value !== ''));
}
