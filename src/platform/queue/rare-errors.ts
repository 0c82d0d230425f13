import type { Logger } from '#sdk';

const quietMs = 10_000;

/** Logs the first error at once and then at most one in ten seconds: a lost connection can fail thousands of times. */
export function rareErrors(log: Logger, message: string, now: () => number = Date.now): (error: Error) => void {
  let quietUntil = 0;
  let unlogged = 0;
  return (error) => {
    if (now() < quietUntil) {
      unlogged += 1;
      return;
    }
    log.warn(message, { error, ...(unlogged > 0 ? { unlogged } : {}) });
    quietUntil = now() + quietMs;
    unlogged = 0;
  };
}
