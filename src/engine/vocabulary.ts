import type { AnyAction, AnyTrigger } from '#sdk';

/** What flows may use; the catalog is one. */
export interface Vocabulary {
  trigger(uses: string): AnyTrigger | undefined;
  action(uses: string): AnyAction | undefined;
  triggerNames(): readonly string[];
  actionNames(): readonly string[];
  connectors(): readonly string[];
}
