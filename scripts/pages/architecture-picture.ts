import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Cruise {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
}

/** The rooms and their arrows as the imports have them, for ARCHITECTURE.md. */
export async function architecturePicture(): Promise<string> {
  const command = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
  const args = [
    command,
    '--output-type',
    'json',
    '--exclude',
    '[.]spec[.]ts$|node_modules',
    'src',
    'connectors',
    'sandbox',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64e6 }).catch(printedAnyway);
  const { modules } = JSON.parse(stdout) as Cruise;
  const arrows = modules.flatMap(({ source, dependencies }) =>
    dependencies.map(({ resolved }) => [roomOf(source), roomOf(resolved)] as const),
  );
  const lines = arrows
    // Everybody uses the SDK; those arrows would hide the others.
    .filter(([from, to]) => from !== undefined && to !== undefined && from !== to && to !== 'sdk')
    .map(([from, to]) => `  ${from} --> ${to}`);
  return ['```mermaid', 'flowchart TD', ...[...new Set(lines)].sort(), '```'].join('\n');
}

/** A broken rule makes the command fail, and is `npm run check`'s to report; the picture is drawn all the same. */
function printedAnyway(error: { stdout?: string }): { stdout: string } {
  if (error.stdout) return { stdout: error.stdout };
  throw error as Error;
}

function roomOf(file: string): string | undefined {
  if (/^src\/[^/]+[.]ts$/.test(file) || file.startsWith('src/cli/')) return 'app';
  return /^(?:src\/([^/]+)|(connectors|sandbox))\//.exec(file)?.slice(1).find(Boolean);
}
