import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { loadConfig } from '#platform';
import { main } from '../main.js';
import { version, type Hub } from '../hub.js';
import { beginActivity, tellFirstArrivals } from './first-arrivals.js';
import { sandboxKey, startSandboxProcess, type SandboxProcess } from './sandbox-process.js';

interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Starts a hub in this process and prints what a person needs to go on. */
export async function startCommand(options: { readonly sandbox: boolean }, io: Io): Promise<void> {
  const startedAt = performance.now();
  const since = new Date();
  let env: Record<string, string | undefined> = { ...process.env };
  const withSandbox = (options.sandbox && env['NODE_ENV'] !== 'production') || loadConfig(env).sandbox.enabled;
  const { dataDir } = loadConfig(env);
  io.out(`\n  Patchbay ${version}${withSandbox ? '   sandbox: nothing leaves this machine' : ''}`);

  let sandbox: SandboxProcess | undefined;
  if (withSandbox) {
    const at = performance.now();
    sandbox = await startSandboxProcess(dataDir);
    env = {
      LOG_LEVEL: 'warn',
      PATCHBAY_ADMIN_KEY: await sandboxKey(dataDir),
      ...env,
      ...sandbox.env,
      PATCHBAY_SANDBOX: 'on',
    };
    done(io, 'sandbox', `chain ${sandbox.chainUrl}, stand-ins ${sandbox.url}`, at);
  }
  const at = performance.now();
  const hub = await main(env, async () => sandbox?.stop()).catch(async (error: unknown) => {
    await sandbox?.stop();
    throw error;
  });
  await writeFile(join(dataDir, 'hub.url'), hub.url);
  if (sandbox !== undefined) await writeFile(join(dataDir, 'sandbox.url'), sandbox.url);
  done(io, 'hub', `${loadConfig(env).roles.join(', ')}; state in ${dataDir}`, at);
  tellFlows(io, hub);
  io.out(
    [
      '',
      `  Address   ${hub.url}`,
      `  API       ${hub.url}/docs`,
      ...keyLines(env['PATCHBAY_ADMIN_KEY'], hub.adminKey, withSandbox),
      `  Stop      Ctrl+C. Nothing is lost; the next start goes on where it was.`,
      `  Ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
      '',
    ].join('\n'),
  );
  if (sandbox === undefined) return;
  await beginActivity({ sandboxUrl: sandbox.url, hubUrl: hub.url, key: env['PATCHBAY_ADMIN_KEY'] ?? '' });
  await tellFirstArrivals({ sandboxUrl: sandbox.url, out: io.out, since });
}

function done(io: Io, what: string, detail: string, since: number): void {
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  io.out(`  ${styleText('green', '✓')} ${what.padEnd(9)} ${detail}   ${styleText('dim', `${seconds} s`)}`);
}

function tellFlows(io: Io, hub: Hub): void {
  const flows = hub.flows.list();
  const faults = [...hub.flows.broken(), ...flows].filter((flow) => flow.faults.length > 0);
  const mark = faults.length === 0 ? styleText('green', '✓') : styleText('yellow', '!');
  io.out(`  ${mark} flows     ${flows.map((flow) => flow.name).join(', ') || 'none'}`);
  for (const { file, faults: all } of faults) {
    io.out(`            ${file}: ${all.length} ${all.length === 1 ? 'fault' : 'faults'}; see npx patchbay lint`);
  }
}

function keyLines(configured: string | undefined, made: string | undefined, isSandbox: boolean): string[] {
  if (made !== undefined) return [`  Key       ${made}   shown once: keep it`];
  if (isSandbox && configured !== undefined) return [`  Key       ${configured}`];
  return [];
}
