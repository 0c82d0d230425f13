/** The other end of `Part`: options on the command line, one JSON value per line on stdout, over when stdin is. */
export function optionsOf<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

export function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function untilStopped(): Promise<void> {
  // Ctrl+C reaches every process of the terminal; the bench decides in which order they end.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve) => {
    process.stdin.resume().once('end', resolve).once('error', resolve);
  });
}

/** Time in milliseconds that is comparable between processes of one machine, finer than `Date.now()`. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
