import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PatchbayError, z } from '#sdk';

const readyLine = z.object({
  ready: z.literal(true),
  url: z.string(),
  chainUrl: z.string(),
  env: z.record(z.string(), z.string()),
});

export interface SandboxProcess {
  readonly url: string;
  readonly chainUrl: string;
  /** The variables that `patchbay.yaml` refers to. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts the stand-ins and the development chain in a process of their own; it ends when this one does. */
export async function startSandboxProcess(dataDir: string): Promise<SandboxProcess> {
  const entry = fileURLToPath(new URL('../../sandbox/main.js', import.meta.url));
  const child = spawn(process.execPath, [entry, '--quiet', '--data-dir', join(dataDir, 'sandbox')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl+C reaches the whole terminal group; the hub must be able to finish its calls first.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await firstLine(child);
  const parsed = readyLine.parse(JSON.parse(ready));
  return {
    url: parsed.url,
    chainUrl: parsed.chainUrl,
    env: parsed.env,
    stop: async () => {
      child.stdin?.end();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('The sandbox has no output.');
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) =>
      reject(
        new PatchbayError('internal', {
          detail: `The sandbox ended with code ${code ?? 'none'} before it was ready.`,
          fix: 'Its own message stands above. Without it: npx patchbay start',
        }),
      ),
    );
  });
}

/** The sandbox keeps its admin key beside its data, so that every command on this machine can use it. */
export async function sandboxKey(dataDir: string): Promise<string> {
  const file = join(dataDir, 'sandbox.key');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim();
  const key = `pbk_${randomBytes(32).toString('base64url')}`;
  await mkdir(dataDir, { recursive: true });
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return key;
}
