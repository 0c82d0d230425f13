import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `find` gives something that is neither false nor nothing, within a deadline. @returns what it gave */
export async function eventually<T>(
  find: () => Promise<T> | T,
  { withinMs = 30_000, what = 'What was waited for' }: { readonly withinMs?: number; readonly what?: string } = {},
): Promise<Exclude<T, false | null | undefined>> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await delay(10)) {
    const found = await find();
    if (found !== undefined && found !== null && found !== false) return found as Exclude<T, false | null | undefined>;
  }
  throw new Error(`${what} did not happen within ${withinMs} ms`);
}
