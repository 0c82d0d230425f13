/** What the exit status of a command means; scripts rely on it. */
export const exitCodes = {
  done: 0,
  /** The thing asked for failed: tests are red, a run failed, a part of many failed. */
  failed: 1,
  usage: 2,
  faults: 3,
  notFound: 4,
  notAllowed: 5,
  unreachable: 6,
  conflict: 7,
  tooLong: 8,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export function exitCodeOfStatus(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.notAllowed;
  if (status === 404) return exitCodes.notFound;
  if (status === 409 || status === 412) return exitCodes.conflict;
  if (status === 408 || status === 504) return exitCodes.tooLong;
  return status === 422 ? exitCodes.faults : exitCodes.failed;
}
