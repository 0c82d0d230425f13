import { refusal } from './upload.js';

/** As solc writes it: `context:prefix=target`. */
export interface Remapping {
  readonly context: string;
  readonly prefix: string;
  readonly target: string;
}

/**
 * Where the project says its imports are: `remappings.txt`, else the list in `foundry.toml`.
 *
 * @throws upload.invalid for a target outside of the upload
 */
export function projectRemappings(files: ReadonlyMap<string, string>): Remapping[] {
  const text = files.get('remappings.txt');
  if (text !== undefined) {
    const lines = text.split(/\r?\n/).map((line) => line.trim());
    return lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => parseRemapping(line, 'remappings.txt'));
  }
  const list = /^\s*remappings\s*=\s*\[([^\]]*)\]/m.exec(files.get('foundry.toml') ?? '')?.[1] ?? '';
  return [...list.matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) =>
    parseRemapping(match[1] ?? match[2]!, 'foundry.toml'),
  );
}

/** @throws upload.invalid */
export function parseRemapping(text: string, file: string): Remapping {
  const match = /^(?:([^:=]*):)?([^:=]+)=([^:=]*)$/.exec(text);
  if (!match) {
    throw refusal(`${JSON.stringify(text)} in ${file} is no remapping`, 'Write it as prefix=folder/ in the upload.');
  }
  const target = match[3]!.replace(/^([.][/])+/, '');
  if (target.startsWith('/') || target.split('/').includes('..') || target.includes('\\')) {
    throw refusal(
      `The remapping ${JSON.stringify(text)} in ${file} leads out of the upload`,
      'Put the files it points to into the upload, and name them by their path there.',
    );
  }
  return { context: match[1] ?? '', prefix: match[2]!, target };
}

export function formatRemapping({ context, prefix, target }: Remapping): string {
  return `${context === '' ? '' : `${context}:`}${prefix}=${target}`;
}

/**
 * Folders of `lib/` under the names by which Foundry finds them without being told, where neither a remapping of the
 * project nor a folder of this name has a say already.
 */
export function libraryRemappings(files: ReadonlyMap<string, string>, given: readonly Remapping[]): Remapping[] {
  const paths = [...files.keys()];
  const names = new Set(paths.map((path) => /^lib[/]([^/]+)[/]/.exec(path)?.[1]).filter((name) => name !== undefined));
  const found = [...names].sort().flatMap((name) => {
    const folders = [`lib/${name}/src/`, `lib/${name}/contracts/`, `lib/${name}/`];
    const target = folders.find((folder) => paths.some((path) => path.startsWith(folder)))!;
    const packageName = openZeppelinPackages[name];
    const prefixes = packageName === undefined ? [`${name}/`] : [`${name}/`, packageName];
    return prefixes.map((prefix) => ({ context: '', prefix, target }));
  });
  const isTaken = (prefix: string): boolean =>
    given.some((other) => other.prefix === prefix) || paths.some((path) => path.startsWith(prefix));
  return found.filter(({ prefix }) => !isTaken(prefix));
}

/** As `forge install` names their folders. */
const openZeppelinPackages: Readonly<Record<string, string>> = {
  'openzeppelin-contracts': '@openzeppelin/contracts/',
  'openzeppelin-contracts-upgradeable': '@openzeppelin/contracts-upgradeable/',
};

/** The remapping that solc applies: the longest context first, then the longest prefix, then the last. */
export function findRemapping(remappings: readonly Remapping[], importer: string, name: string): Remapping | undefined {
  let best: Remapping | undefined;
  for (const remapping of remappings) {
    if (!importer.startsWith(remapping.context) || !name.startsWith(remapping.prefix)) continue;
    const isBetter =
      !best ||
      remapping.context.length > best.context.length ||
      (remapping.context.length === best.context.length && remapping.prefix.length >= best.prefix.length);
    if (isBetter) best = remapping;
  }
  return best;
}
