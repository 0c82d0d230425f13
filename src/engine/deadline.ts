const maxTimerMs = 2 ** 31 - 1;

/** Calls, and gives up after a time even when the call does not heed its signal. What it does after that is not waited for. */
export function callWithin(
  ms: number,
  call: (signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
  raise: () => Error,
): Promise<unknown> {
  const late = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        const error = raise();
        // First, so that the call's own complaint about its signal does not win.
        reject(error);
        late.abort(error);
      },
      Math.min(Math.max(ms, 0), maxTimerMs),
    );
    call(AbortSignal.any([signal, late.signal]))
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
