import { createHash } from 'node:crypto';
import type { CompiledFlow } from '#engine';
import type { AnyTrigger } from '#sdk';

/** One thing to listen to. Flows with the same trigger, connection and inputs share it. */
export interface TriggerSource {
  readonly id: string;
  readonly uses: string;
  readonly connection: string | undefined;
  readonly trigger: AnyTrigger;
  /** Parsed by the trigger's schema. */
  readonly input: unknown;
  /** As written in the flow. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly flows: readonly CompiledFlow[];
}

/** Webhook-like triggers are addressed by flow, so each flow is a source of its own. */
export function sourceId(
  uses: string,
  connection: string | undefined,
  input: unknown,
  flow: string | undefined,
): string {
  const identity = JSON.stringify([uses, connection ?? null, sorted(input), flow ?? null]);
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
