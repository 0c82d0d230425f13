import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { exitCodes } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import { Interrupted } from './io.js';
import type { Session } from './session.js';

export interface AuthorizationOptions {
  readonly port: string;
  readonly paste?: boolean;
}

const patienceMs = 10 * 60_000;
const path = '/callback';

/**
 * Lets the hub into the other side with the browser of whoever types the command: shows where to go, waits for the
 * browser to come back to this machine, and hands its code to the hub. The verifier of PKCE stays here until then, so
 * that a code which somebody else saw is worth nothing.
 */
export async function authorizeConnection(
  name: string,
  { port, paste = false }: AuthorizationOptions,
  session: Session,
): Promise<void> {
  const hub = await session.hub();
  const base = `/api/connections/${encodeURIComponent(name)}/authorization`;
  const state = randomBytes(24).toString('base64url');
  const verifier = randomBytes(48).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const redirectUri = `http://localhost:${portNumber(port)}${path}`;
  const begin = () => hub.post<{ url: string }>(base, { redirectUri, state, challenge });
  const returned = paste ? await pasted(begin, session) : await heard(begin, portNumber(port), session);
  const code = codeOf(returned, state);
  await hub.post(`${base}/code`, { code, redirectUri, verifier });
  session.show(
    { authorized: name },
    () => `The connection ${name} is authorised. Try it: npx patchbay connection test ${name}`,
  );
}

async function pasted(begin: () => Promise<{ url: string }>, { io }: Session): Promise<URL> {
  if (!io.isInteractive) throw new UsageError('--paste needs a terminal to paste into.');
  io.err(`Open this address, and allow access:\n\n  ${(await begin()).url}\n`);
  const text = await io.ask('The browser ends at a page that cannot be shown. Paste its address: ');
  const url = URL.parse(text.trim());
  if (url !== null) return url;
  throw new UsageError('That is no address.', 'Paste the whole of it, beginning with http://localhost.');
}

async function heard(begin: () => Promise<{ url: string }>, port: number, { io }: Session): Promise<URL> {
  const server = createServer();
  await listening(server, port);
  try {
    // Not with `note`: without the address the command would wait for nothing, also when it is to be quiet.
    io.err(
      `Open this address, and allow access:\n\n  ${(await begin()).url}\n\nWaiting for the browser to come back …`,
    );
    return await firstReturn(server, AbortSignal.any([io.interruption(), AbortSignal.timeout(patienceMs)]));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function firstReturn(server: Server, signal: AbortSignal): Promise<URL> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      const isTooLong = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
      reject(
        isTooLong
          ? new CommandError(exitCodes.tooLong, 'Nobody came back from the browser.', 'Try again, or with --paste.')
          : new Interrupted(),
      );
    });
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      // A browser also asks for an icon.
      if (url.pathname !== path) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end('Patchbay has what it needs. You can close this page and go back to the terminal.\n', () =>
        resolve(url),
      );
    });
  });
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new UsageError(
          `Port ${port} of this machine cannot be used: ${error.message}`,
          'Name another one with --port, which the app on the other side must know, or use --paste.',
        ),
      ),
    );
    server.listen(port, 'localhost', resolve);
  });
}

function codeOf({ searchParams }: URL, state: string): string {
  const refused = searchParams.get('error');
  if (refused !== null) {
    const reason = searchParams.get('error_description') ?? refused;
    throw new CommandError(exitCodes.failed, `The other side did not let the hub in: ${reason}`);
  }
  const code = searchParams.get('code');
  if (code !== null && searchParams.get('state') === state) return code;
  throw new CommandError(
    exitCodes.failed,
    'The browser came back with an answer to another question.',
    'Run the command again, and use the address it shows this time.',
  );
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new UsageError(`--port needs a number from 1 to 65535; ${text} is none.`);
}
