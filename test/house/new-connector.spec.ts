import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const runFile = promisify(execFile);
const environment = { ...process.env, NODE_OPTIONS: undefined, FORCE_COLOR: '0' };

let checkout: string;

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'patchbay-new-connector-'));
  const parts = ['src', 'connectors', 'sandbox', 'contracts', 'test/builders', 'test/environment'];
  const settings = [
    'package.json',
    'tsconfig.json',
    '.swcrc',
    'jest.config.mjs',
    '.dependency-cruiser.cjs',
    '.prettierrc.json',
  ];
  for (const part of [...parts, ...settings]) {
    await cp(join(root, part), join(checkout, part), {
      recursive: true,
      filter: (path) => !path.endsWith('.spec.ts') || path.endsWith('conformance.spec.ts'),
    });
  }
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  await runNode('dist/scripts/new-connector.js', 'acme', '--root', checkout);
});

afterAll(() => rm(checkout, { recursive: true, force: true }));

describe('npm run new:connector acme', () => {
  it('adds its line to the list of built-in connectors', async () => {
    const list = await readFile(join(checkout, 'connectors/index.ts'), 'utf8');

    expect(list).toContain("import acme from './acme/index.js';");
    expect(list).toMatch(/\bacme,?\s*\];/);
  });

  it('refuses a name that is taken', async () => {
    await expect(runNode('dist/scripts/new-connector.js', 'acme', '--root', checkout)).rejects.toMatchObject({
      stderr: expect.stringContaining('exists already'),
    });
  });

  it('writes files in the style of the house', async () => {
    await runNode('node_modules/prettier/bin/prettier.cjs', '--check', 'connectors/acme', 'connectors/index.ts');
  });

  it('writes a connector that compiles', async () => {
    const project = {
      extends: './tsconfig.json',
      compilerOptions: { noEmit: true, incremental: false },
      include: ['connectors/acme'],
    };
    await writeFile(join(checkout, 'tsconfig.acme.json'), JSON.stringify(project));

    await runNode('node_modules/typescript/bin/tsc', '-p', join(checkout, 'tsconfig.acme.json'));
  });

  it('writes a connector that keeps the boundaries, the conformance rules and its own promises', async () => {
    await runNode('node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'connectors/acme');
    const args = [
      '--experimental-vm-modules',
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      'unit',
      '--runInBand',
    ];
    const { stderr } = await runNode(...args, 'connectors/acme', 'connectors/conformance');

    expect(stderr).toContain('PASS unit connectors/acme/add-note.action.spec.ts');
    expect(stderr).toContain('PASS unit connectors/conformance.spec.ts');
  });
});

/** Programs come from the repository, the working folder is the copy. */
function runNode(...args: readonly string[]) {
  const inRepository = args.map((argument) =>
    /^(dist|node_modules)\//.test(argument) ? join(root, argument) : argument,
  );
  return runFile(process.execPath, inRepository, { cwd: checkout, env: environment });
}
