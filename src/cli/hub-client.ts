import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from '#sdk';
import { exitCodeOfStatus, exitCodes } from './exit-code.js';

/** What the hub answered to a command, or why it did not. */
export class HubAnswerError extends Error {
  constructor(
    readonly exitCode: number,
    readonly problem: Problem,
  ) {
    super(problem.detail ?? problem.title ?? 'The hub refused');
  }
}

export interface Problem {
  readonly title?: string;
  readonly status?: number;
  readonly code?: string;
  readonly detail?: string;
  readonly fix?: string;
  readonly requestId?: string;
  readonly errors?: readonly Fault[];
}

export interface HubClient {
  readonly url: string;
  readonly key: string | undefined;
  get<T>(path: string): Promise<T>;
  /** What is no JSON, as it comes. */
  text(path: string): Promise<string>;
  post<T>(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

const timeoutMs = 30_000;

/**
 * The hub that a command talks to: `--hub`, `PATCHBAY_HUB`, or the one that was last started from this folder; the key
 * likewise: `PATCHBAY_KEY`, `PATCHBAY_ADMIN_KEY`, or the sandbox's.
 */
export async function hubClient(
  options: { readonly hub?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Promise<HubClient> {
  const dataDir = env['PATCHBAY_DATA_DIR'] ?? '.patchbay';
  const url = (
    options.hub ??
    env['PATCHBAY_HUB'] ??
    (await text(join(dataDir, 'hub.url'))) ??
    `http://127.0.0.1:${env['PATCHBAY_PORT'] ?? '3000'}`
  ).replace(/\/$/, '');
  const key = env['PATCHBAY_KEY'] ?? env['PATCHBAY_ADMIN_KEY'] ?? (await text(join(dataDir, 'sandbox.key')));
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...more,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'TimeoutError') {
        throw new HubAnswerError(exitCodes.tooLong, {
          code: 'connection.timeout',
          detail: `The hub at ${url} did not answer within ${timeoutMs / 1_000} s.`,
          fix: 'See what holds it up with npx patchbay doctor.',
        });
      }
      throw new HubAnswerError(exitCodes.unreachable, {
        code: 'connection.refused',
        detail: `The hub at ${url} cannot be reached: ${reason(error)}`,
        fix: 'Start it with npm start, or name another one with --hub or PATCHBAY_HUB.',
      });
    });
    const answer = await response.text();
    if (response.ok) return answer;
    throw new HubAnswerError(exitCodeOfStatus(response.status), problemOf(answer, response.status));
  };
  const call = async <T>(...asked: Parameters<typeof ask>): Promise<T> => {
    const answer = await ask(...asked);
    return (answer === '' ? undefined : JSON.parse(answer)) as T;
  };
  return {
    url,
    key,
    get: (path) => call('GET', path),
    text: (path) => ask('GET', path),
    post: (path, body, headers) => call('POST', path, body ?? {}, headers),
    delete: (path) => call('DELETE', path),
  };
}

function problemOf(answer: string, status: number): Problem {
  try {
    return JSON.parse(answer) as Problem;
  } catch {
    return { status, detail: `The hub answered with status ${status}.` };
  }
}

function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

async function text(file: string): Promise<string | undefined> {
  const content = await readFile(file, 'utf8').catch(() => undefined);
  return content?.trim();
}
