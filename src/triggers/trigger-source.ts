import { createHash } from 'node:crypto';
import type { CompiledFlow } from '#engine';
import type { AnyTrigger } from '#sdk';

/** One thing to listen to. Flows with the same trigger, connection and inputs share it. */
export interface TriggerSource {
  /** Where the listener has got to is kept under it. */
  readonly id: string;
  /** What was heard is kept under it: it is the same however long somebody waits before it counts. */
  readonly heardAs: string;
  readonly uses: string;
  readonly connection: string | undefined;
  readonly trigger: AnyTrigger;
  /** Parsed by the trigger's schema. */
  readonly input: unknown;
  /** As written in the flow. */
  readonly written: Readonly<Record<string, unknown>>;
  /** See `ListenContext`. */
  readonly movesValue: boolean;
  /** The same thing, for flows that do not wait as long, or wait longer: a flow that is edited may move from one to the other. */
  readonly twin: string | undefined;
  readonly flows: readonly CompiledFlow[];
}

/** The lease of whoever takes back what such triggers have made on the other side: meanwhile none of them begins to listen. */
export function forgettingLease({ uses, connection }: { uses: string; connection: string | null | undefined }): string {
  return `forget ${uses} ${connection ?? ''}`;
}

export interface SourceIdentity {
  readonly uses: string;
  readonly connection: string | undefined;
  readonly input: unknown;
  /** Webhook-like triggers are addressed by flow, so each flow is a source of its own. */
  readonly flow?: string | undefined;
  readonly movesValue?: boolean;
}

export function sourceId({ uses, connection, input, flow, movesValue = false }: SourceIdentity): string {
  const parts = [uses, connection ?? null, sorted(input), flow ?? null];
  const identity = JSON.stringify(movesValue ? [...parts, 'movesValue'] : parts);
  return `${uses}/${createHash('sha256').update(identity).digest('hex').slice(0, 24)}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
