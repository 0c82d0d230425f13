import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from '#sdk';

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
  post<T>(path: string, body?: unknown): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

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
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    }).catch((error: unknown) => {
      throw new HubAnswerError(6, {
        code: 'connection.refused',
        detail: `The hub at ${url} cannot be reached: ${reason(error)}`,
        fix: 'Start it with npm start, or name another one with --hub or PATCHBAY_HUB.',
      });
    });
    const answer = await response.text();
    if (response.ok) return (answer === '' ? undefined : JSON.parse(answer)) as T;
    throw new HubAnswerError(exitCodeOf(response.status), problemOf(answer, response.status));
  };
  return {
    url,
    key,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body ?? {}),
    delete: (path) => call('DELETE', path),
  };
}

function exitCodeOf(status: number): number {
  if (status === 401 || status === 403) return 5;
  if (status === 404) return 4;
  if (status === 409 || status === 412) return 7;
  return status === 422 ? 3 : 1;
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
