import { defineService } from './service.js';

/** What the flows of this hub declare for a trigger; for one that must know what nobody declared. */
export interface DeclaredTriggers {
  /** Of flows that are enabled, by name of the flow. The inputs are as the trigger's schema gives them. */
  of(uses: string): readonly DeclaredTrigger[];
}

export interface DeclaredTrigger {
  readonly flow: string;
  /** Undefined: the default connection. */
  readonly connection: string | undefined;
  readonly input: Readonly<Record<string, unknown>>;
}

export const declaredTriggers = defineService<DeclaredTriggers>('flows.declaredTriggers');
