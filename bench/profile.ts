import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const shown = 20;

/** Where the time of each profiled hub went: by package, without what it waited for. */
export async function summariseProfiles(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile')).sort();
  const parts = await Promise.all(
    files.map(async (file) => {
      const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as CpuProfile;
      return `${file}\n${summarise(profile)}`;
    }),
  );
  return parts.join('\n\n');
}

function summarise({ nodes, samples, timeDeltas }: CpuProfile): string {
  const owners = new Map(nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]));
  const spent = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const owner = owners.get(id) ?? '?';
    const ms = (timeDeltas[index] ?? 0) / 1_000;
    if (owner === '(idle)') continue;
    busy += ms;
    spent.set(owner, (spent.get(owner) ?? 0) + ms);
  }
  const top = [...spent].sort(([, one], [, other]) => other - one).slice(0, shown);
  return top
    .map(
      ([owner, ms]) =>
        `${((100 * ms) / busy).toFixed(1).padStart(5)} %  ${Math.round(ms).toString().padStart(6)} ms  ${owner}`,
    )
    .join('\n');
}

function ownerOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName.startsWith('(') ? functionName : `native ${functionName}`;
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)?.[1];
  if (inPackage !== undefined) return inPackage;
  return /\/dist\/((?:src\/)?[^/]+)/.exec(url)?.[1] ?? url;
}
