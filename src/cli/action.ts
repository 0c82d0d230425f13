import type { Command } from 'commander';
import type { Io } from './io.js';
import { createSession, type CommonOptions, type Session } from './session.js';

type Deed<Args extends readonly unknown[]> = (session: Session, ...args: Args) => Promise<number | void>;

/** Makes commander's actions out of deeds; what they return becomes the exit status. */
export interface Actions {
  readonly io: Io;
  /** @param deed imports its module itself, so that `--help` loads none */
  readonly run: <Args extends readonly unknown[]>(deed: Deed<Args>) => (...given: unknown[]) => Promise<void>;
}

export function createActions(io: Io, setExitCode: (code: number) => void): Actions {
  return {
    io,
    run:
      <Args extends readonly unknown[]>(deed: Deed<Args>) =>
      async (...given: unknown[]) => {
        // Commander hands over the arguments as declared, then the options, then the command itself.
        const command = given.at(-1) as Command;
        const session = createSession(io, command.optsWithGlobals<CommonOptions>());
        setExitCode((await deed(session, ...(given.slice(0, -1) as unknown as Args))) ?? 0);
      },
  };
}

/** For options that may be given several times. */
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
