import type { Catalog } from '#catalog';
import type { ConnectionsService } from '#connections';
import { usesOf, type FlowUse } from '#engine';
import { PatchbayError, type AnyAction, type AnyTrigger, type Fault, type UseService } from '#sdk';

export interface FlowCheckerParts {
  readonly catalog: Pick<Catalog, 'trigger' | 'action'>;
  readonly connections: Pick<ConnectionsService, 'nameFor' | 'during' | 'onReopened'>;
  readonly use: UseService;
  /** Default: five seconds for a flow as a whole. */
  readonly withinMs?: number;
}

export interface FlowChecks {
  /** What the other side of a connection does not know or allow. */
  readonly faults: readonly Fault[];
  /** What the connection puts at risk, and what could not be asked; no reason to refuse the flow. */
  readonly warnings: readonly Fault[];
}

type Checked = Pick<AnyAction & AnyTrigger, 'check' | 'connection' | 'finality'>;

interface OtherSide {
  silence?: { readonly until: number; readonly error: unknown };
}

const nothing: FlowChecks = { faults: [], warnings: [] };

const defaultWithinMs = 5_000;
/** How long nobody asks again who did not answer: a folder of flows is not to wait for each of them. */
const silentMs = 15_000;

/** Asks the other sides of a flow's connections whether there is what it names. Never throws, and never waits for long. */
export class FlowChecker {
  /** By connection, as it was opened last: what an old client says late is of the side that it was opened to. */
  readonly #sides = new Map<string, OtherSide>();

  constructor(private readonly parts: FlowCheckerParts) {
    parts.connections.onReopened((name) => this.#sides.delete(name));
  }

  check(document: string, file?: string): Promise<FlowChecks> {
    return this.checkUses(usesOf(document, file));
  }

  /** `movesValue`: because of what the trigger among the uses hears. */
  async checkUses(uses: readonly FlowUse[], { movesValue = false } = {}): Promise<FlowChecks> {
    const signal = AbortSignal.timeout(this.parts.withinMs ?? defaultWithinMs);
    const checks = await Promise.all(uses.map((use) => this.#checkUse(use, movesValue, signal)));
    return {
      faults: checks.flatMap(({ faults }) => faults),
      // One connection that cannot be asked is one warning, however often the flow uses it.
      warnings: [...new Map(checks.flatMap(({ warnings }) => warnings).map((fault) => [fault.detail, fault])).values()],
    };
  }

  async #checkUse(use: FlowUse, movesValue: boolean, signal: AbortSignal): Promise<FlowChecks> {
    const definition: Checked | undefined = this.parts.catalog.action(use.uses) ?? this.parts.catalog.trigger(use.uses);
    const { check, finality } = definition ?? {};
    const isOpen = movesValue && finality?.input !== undefined && !Object.hasOwn(use.input, finality.input);
    const open = isOpen ? finality : undefined;
    const name = (check ?? open?.shortfallOf) && this.#connectionOf(use);
    if (name === undefined) return nothing;
    const side = this.#sideOf(name);
    if (side.silence !== undefined && side.silence.until > Date.now()) return notAsked(use, name, side.silence.error);
    try {
      const ask = async (client: unknown) => ({
        found: (await check?.({ input: use.input, client, use: this.parts.use, signal })) ?? [],
        risk: await open?.shortfallOf?.(client),
      });
      const { found, risk } = await within(signal, () => this.parts.connections.during(name, ask));
      return {
        faults: found.map((fault) => placed(use, fault, 'not-there')),
        warnings: risk === undefined ? [] : [{ ...placed(use, risk, 'less-than-final'), severity: 'warning' }],
      };
    } catch (error) {
      side.silence = { until: Date.now() + silentMs, error };
      return notAsked(use, name, error);
    }
  }

  #sideOf(connection: string): OtherSide {
    const side = this.#sides.get(connection) ?? {};
    this.#sides.set(connection, side);
    return side;
  }

  /** Undefined where the linter has more to say about it. */
  #connectionOf({ uses, connection }: FlowUse): string | undefined {
    try {
      return this.parts.connections.nameFor(uses.slice(0, uses.indexOf('.')), connection);
    } catch {
      return undefined;
    }
  }
}

function placed(use: FlowUse, { pointer, detail, fix }: Fault, rule: string): Fault {
  return use.faultAt(pointer, { rule, detail: `${detail}.`, fix });
}

function notAsked(use: FlowUse, name: string, error: unknown): FlowChecks {
  const fault = use.faultAt('', {
    rule: 'not-checked',
    detail: `Whether the connection ${name} knows what the flow names could not be asked: ${PatchbayError.from(error).detail}`,
    fix: `Try the connection: npx patchbay connection test ${name}`,
  });
  return { faults: [], warnings: [{ ...fault, severity: 'warning' }] };
}

/** Also when what is asked does not heed the signal. */
function within<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(new PatchbayError('connection.timeout', { detail: 'it did not answer in time' }));
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    ask().then(resolve, reject);
  });
}
