import { defineService } from './service.js';

/** What the flows of this hub declare for a trigger; for one that must know what nobody declared. */
export interface DeclaredTriggers {
  /** Of flows that are enabled, by name of the flow. The inputs are as the trigger's schema gives them. */
  of(uses: string): readonly DeclaredTrigger[];
}

export interface DeclaredTrigger {
  readonly flow: string;
  /** The one that is meant, also where the flow leaves it to the default; undefined: it needs none. */
  readonly connection: string | undefined;
  readonly input: Readonly<Record<string, unknown>>;
  /** See `ListenContext`. */
  readonly movesValue: boolean;
  /** It hears nothing for now, and what it missed when it goes on. */
  readonly isPaused: boolean;
}

export const declaredTriggers = defineService<DeclaredTriggers>('flows.declaredTriggers');
