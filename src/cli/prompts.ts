import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from './failure.js';
import type { Session } from './session.js';

export interface Question {
  /** What is asked for, as it begins a line: `Object`. */
  readonly title: string;
  /** Where nobody is there to be asked: `--object <name>`. */
  readonly flag: string;
  /** One line of help, shown before the question. */
  readonly help?: string;
  /** Taken when nothing is typed, and where nobody is there. */
  readonly fallback?: string;
  /** What is wrong with an answer; undefined: nothing. */
  readonly check?: (answer: string) => string | undefined;
}

export interface Choice extends Question {
  readonly choices: readonly string[];
}

/** Questions of a guided command. What a flag has given is not asked for, but looked at in the same way. */
export interface Prompts {
  text(question: Question, given?: string): Promise<string>;
  /** One of several, by its number or its name. */
  choose(choice: Choice, given?: string): Promise<string>;
  /** Typed without echo; `env:NAME` and `file:PATH` say where it lies instead. */
  secret(question: Question, given?: string): Promise<string>;
  /** @param without what is meant where nobody is there to be asked */
  confirm(question: string, without: boolean): Promise<boolean>;
}

const mostTries = 5;
const mostShown = 40;

export function createPrompts({ io, paint }: Pick<Session, 'io' | 'paint'>): Prompts {
  const ask = async (question: Question, given: string | undefined, isSecret: boolean): Promise<string> => {
    const { title, flag, help, fallback, check } = question;
    const nobody = given ?? (io.isInteractive ? undefined : fallback);
    if (nobody !== undefined) {
      const fault = check?.(nobody);
      if (fault !== undefined) throw new UsageError(`${title}: ${fault}`, `Give another one with ${flag}.`);
      return nobody;
    }
    if (!io.isInteractive) throw new UsageError(`${title} is missing.`, `Give it with ${flag}.`);
    if (help !== undefined) io.err(paint('dim', help));
    for (let tries = 0; tries < mostTries; tries += 1) {
      const typed = await io.ask(`${title}${fallback === undefined ? '' : ` [${fallback}]`}: `, { isSecret });
      const answer = typed === '' ? (fallback ?? '') : typed;
      const fault = answer === '' ? 'something has to be typed' : check?.(answer);
      if (fault === undefined) return answer;
      io.err(`${paint('red', '✗')} ${fault}`);
    }
    throw new UsageError(`${title}: no answer could be used.`, `Give it with ${flag}.`);
  };
  return {
    text: (question, given) => ask(question, given, false),
    async choose({ choices, ...question }, given) {
      const find = (answer: string): string | undefined =>
        (/^\d+$/.test(answer) ? choices[Number(answer) - 1] : undefined) ??
        choices.find((choice) => choice.toLowerCase() === answer.toLowerCase());
      if (given === undefined && io.isInteractive) {
        choices.slice(0, mostShown).forEach((choice, index) => io.err(`  ${String(index + 1).padStart(2)}  ${choice}`));
        if (choices.length > mostShown) io.err(`  … and ${choices.length - mostShown} more; type the name`);
      }
      const check = (answer: string) => {
        const found = find(answer);
        if (found === undefined) return `there is no ${answer}; known: ${choices.slice(0, 12).join(', ')}`;
        return question.check?.(found);
      };
      const answer = await ask({ ...question, check }, given, false);
      return find(answer) ?? answer;
    },
    async secret(question, given) {
      const answer = await ask(question, given, true);
      const [, kind, place = ''] = /^(env|file):(.+)$/.exec(answer) ?? [];
      if (kind === undefined) return answer;
      const value =
        kind === 'env'
          ? io.env[place]
          : await readFile(resolve(io.cwd, place), 'utf8').catch((): undefined => undefined);
      if (value !== undefined && value.trim() !== '') return value.trim();
      throw new UsageError(
        `${question.title}: ${kind === 'env' ? `the environment variable ${place} is not set` : `the file ${place} cannot be read`}.`,
      );
    },
    async confirm(question, without) {
      if (!io.isInteractive) return without;
      const answer = await io.ask(`${question} [${without ? 'Y/n' : 'y/N'}] `);
      return answer === '' ? without : /^y(es)?$/i.test(answer);
    },
  };
}
