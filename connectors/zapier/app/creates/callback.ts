import type { Bundle, ZObject } from 'zapier-platform-core';

/** What is done anew each time the step runs must not be done twice when Zapier repeats a request. */
export interface Waiting {
  readonly callbackUrl?: string;
}

/** The address that ends the waiting; none when the Zap is to go on at once. */
export function waitingOf(z: ZObject, wait: unknown): Waiting {
  const isPatient = wait !== false && wait !== 'false' && wait !== 'no';
  return isPatient ? { callbackUrl: z.generateCallbackUrl() } : {};
}

/** In the editor nothing is done: there the callback never comes. */
export function isInEditor(bundle: Bundle): boolean {
  return (bundle.meta as Bundle['meta'] | undefined)?.isLoadingSample === true;
}
