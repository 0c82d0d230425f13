import type { FlowsService, KnownFlow } from '#flows';
import { PatchbayError, z } from '#sdk';
import type { Choice, FormField } from './zapier.schema.js';

const runFlow = 'zapier.runFlow';
const publish = 'zapier.publish';

/** As the trigger has checked it when the flow was loaded. */
const declaredFields = z.record(
  z.string(),
  z.looseObject({
    label: z.string().optional(),
    help: z.string().optional(),
    type: z.string().default('text'),
    required: z.boolean().default(true),
    options: z.record(z.string(), z.string()).optional(),
    default: z.string().optional(),
  }),
);

const fieldTypes: Readonly<Record<string, FormField['type']>> = { boolean: 'boolean', datetime: 'datetime' };

/** An event that a step of a flow publishes, as it is written in the flow. */
export interface DeclaredEvent {
  readonly event: string;
  readonly title: string | undefined;
  readonly flow: string;
  readonly fields: readonly string[];
}

/** What flows declare for Zapier: those it may run, and the events they publish. */
export class DeclaredForZapier {
  constructor(private readonly flows: FlowsService) {}

  runnable(): Choice[] {
    return this.flows
      .running()
      .filter(({ compiled }) => compiled.flow.trigger.uses === runFlow)
      .map(choiceOf);
  }

  all(): Choice[] {
    return this.flows.list().map(choiceOf);
  }

  /** @throws flow.notFound */
  assertKnown(name: string): void {
    this.flows.get(name);
  }

  /** @throws flow.notFound, flow.invalid */
  getRunnable(name: string): KnownFlow {
    const flow = this.flows.get(name);
    if (flow.compiled.flow.trigger.uses === runFlow) return flow;
    throw new PatchbayError('flow.invalid', {
      detail: `The flow ${name} is started by ${flow.compiled.flow.trigger.uses}, not by a Zap.`,
      fix: `Give it the trigger ${runFlow}, or choose one of: ${listOf(this.runnable().map(({ id }) => id))}`,
    });
  }

  fieldsOf(name: string): FormField[] {
    const { fields = {} } = this.getRunnable(name).compiled.flow.trigger.with;
    return Object.entries(declaredFields.parse(fields)).map(([key, field]) => ({
      key,
      label: field.label ?? labelOf(key),
      // Numbers stay text: an amount on a chain need not fit one.
      type: fieldTypes[field.type] ?? 'string',
      required: field.required,
      ...(field.help !== undefined && { helpText: field.help }),
      ...(field.options !== undefined && { choices: { ...field.options } }),
      ...(field.default !== undefined && { default: field.default }),
    }));
  }

  events(): DeclaredEvent[] {
    const found = new Map<string, DeclaredEvent>();
    for (const { name, compiled } of this.flows.list()) {
      const { steps, onFailure, onReverted } = compiled.flow;
      for (const { uses, with: given } of [...steps, ...onFailure, ...onReverted]) {
        const { event, title, fields } = given;
        if (uses !== publish || typeof event !== 'string') continue;
        const names = typeof fields === 'object' && fields !== null ? Object.keys(fields) : [];
        const known = found.get(event);
        found.set(event, {
          event,
          title: known?.title ?? (typeof title === 'string' ? title : undefined),
          flow: known?.flow ?? name,
          fields: [...new Set([...(known?.fields ?? []), ...names])],
        });
      }
    }
    return [...found.values()].sort((one, other) => (one.event < other.event ? -1 : 1));
  }

  /** @throws flow.notFound – no flow publishes it */
  getEvent(event: string): DeclaredEvent {
    const events = this.events();
    const found = events.find((one) => one.event === event);
    if (found) return found;
    throw new PatchbayError('flow.notFound', {
      detail: `No flow publishes the event ${event}.`,
      fix: `There are: ${listOf(events.map((one) => one.event))}. A step ${publish} publishes one.`,
    });
  }
}

export function labelOf(key: string): string {
  return key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[_\s]+/)
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}

function choiceOf({ name, compiled }: KnownFlow): Choice {
  const { description } = compiled.flow;
  return { id: name, name: description === undefined ? name : `${name}: ${description}`.slice(0, 120) };
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'none yet' : names.slice(0, 10).join(', ');
}
