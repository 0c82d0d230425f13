import { fstatSync } from 'node:fs';

/** Calls back once, on SIGTERM or SIGINT, or when the process that started this one is gone and so its pipe to our stdin. */
export function onEndOfLife(end: () => void): void {
  let isOver = false;
  const once = (): void => {
    if (isOver) return;
    isOver = true;
    end();
  };
  process.on('SIGTERM', once).on('SIGINT', once);
  // A terminal or /dev/null says nothing about a parent.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.resume().once('end', once).once('error', once);
}
