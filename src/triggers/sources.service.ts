import type { Catalog } from '#catalog';
import type { ConnectionsService } from '#connections';
import type { FlowsService, KnownFlow } from '#flows';
import { PatchbayError, type Logger } from '#sdk';
import { sourceId, type TriggerSource } from './trigger-source.js';

export interface SourcesParts {
  readonly catalog: Catalog;
  readonly connections: ConnectionsService;
  readonly flows: FlowsService;
  readonly log: Logger;
}

/** What the running flows want to hear, brought together by source. */
export class SourcesService {
  #sources = new Map<string, TriggerSource>();
  #byFlow = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  constructor(private readonly parts: SourcesParts) {
    parts.flows.onChange(() => this.refresh());
  }

  refresh(): void {
    const sources = new Map<string, TriggerSource>();
    const byFlow = new Map<string, string>();
    for (const flow of this.parts.flows.running()) {
      try {
        const source = this.#sourceOf(flow);
        const known = sources.get(source.id);
        sources.set(source.id, known ? { ...known, flows: [...known.flows, flow.compiled] } : source);
        byFlow.set(flow.name, source.id);
      } catch (error) {
        this.parts.log.warn('A flow cannot be listened for', { flow: flow.name, error });
      }
    }
    this.#sources = sources;
    this.#byFlow = byFlow;
    for (const listener of this.#listeners) listener();
  }

  /** False until the flow files were read: a source that is missing then may only not be known yet. */
  areKnown(): boolean {
    return this.parts.flows.isLoaded;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  all(): readonly TriggerSource[] {
    return [...this.#sources.values()];
  }

  find(id: string): TriggerSource | undefined {
    return this.#sources.get(id);
  }

  /** The source that a flow listens to, also while the flow is paused. */
  of(flowName: string): TriggerSource {
    const running = this.#sources.get(this.#byFlow.get(flowName) ?? '');
    return running ?? this.#sourceOf(this.parts.flows.get(flowName));
  }

  /** The same, where the flow may have a trigger that cannot be listened to, e.g. for want of its connection. */
  findOf(flowName: string): TriggerSource | undefined {
    try {
      return this.of(flowName);
    } catch {
      return undefined;
    }
  }

  /** Whether there is a flow for it, even one that is paused or disabled. */
  isNeeded(id: string): boolean {
    return this.parts.flows.list().some(({ name }) => this.findOf(name)?.id === id);
  }

  isRunning(flowName: string): boolean {
    return this.#byFlow.has(flowName);
  }

  #sourceOf(flow: KnownFlow): TriggerSource {
    const { uses, connection: asked, with: written } = flow.compiled.flow.trigger;
    const trigger = this.parts.catalog.trigger(uses);
    if (trigger === undefined) throw new PatchbayError('flow.invalid', { detail: `There is no trigger ${uses}.` });
    const isOptional = trigger.connectionOptional === true && asked === undefined;
    const connection =
      trigger.connection === undefined || isOptional
        ? undefined
        : this.parts.connections.nameFor(uses.slice(0, uses.indexOf('.')), asked);
    if (trigger.connection !== undefined && !isOptional && connection === undefined) {
      throw new PatchbayError('connection.notFound', {
        detail: `${flow.name} needs a connection for ${uses}, and there is no default one.`,
        fix: 'Name one with connection:, or mark one as default: true in patchbay.yaml.',
      });
    }
    const input: unknown = trigger.input.parse(written);
    const waits = trigger.finality?.input;
    const isOpen = waits !== undefined && written[waits] === undefined;
    const movesValue = isOpen && flow.compiled.movesValue;
    const isAddressed = trigger.receive !== undefined || trigger.schedule !== undefined;
    const identity = { uses, connection, input: written, flow: isAddressed ? flow.name : undefined };
    const heardAs = sourceId(identity);
    const waiting = sourceId({ ...identity, movesValue: true });
    return {
      id: movesValue ? waiting : heardAs,
      heardAs,
      uses,
      connection,
      trigger,
      input,
      written,
      movesValue,
      twin: isOpen ? (movesValue ? heardAs : waiting) : undefined,
      flows: [flow.compiled],
    };
  }
}
