import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');

/** A house with one door per room, and nothing wrong in it. */
const soundHouse: Record<string, string> = {
  'src/sdk/index.ts': `import { z } from 'zod';\nexport const sdk = z.string();\n`,
  'src/evm/index.ts': `import { sdk } from '#sdk';\nexport const evm = sdk;\n`,
  'src/evm/testing/chain.ts': `import '../index.js';\nexport const chain = 1;\n`,
  'src/engine/index.ts': `import { rules } from './rules.js';\nexport const engine = rules;\n`,
  'src/engine/rules.ts': `import { sdk } from '#sdk';\nexport const rules = sdk;\n`,
  'src/platform/index.ts': `import { sdk } from '#sdk';\nexport const platform = sdk;\n`,
  'src/runs/index.ts': `import { engine } from '#engine';\nexport const runs = engine;\n`,
  'src/flows/index.ts': `import { platform } from '#platform';\nexport const flows = platform;\n`,
  'src/app.module.ts': `import { flows } from '#flows';\nimport { runs } from '#runs';\nexport const app = [flows, runs];\n`,
  'src/main.ts': `import { app } from './app.module.js';\nimport '../connectors/index.js';\nvoid app;\n`,
  'connectors/index.ts': `import one from './one/index.js';\nimport two from './two/index.js';\nexport default [one, two];\n`,
  'connectors/one/index.ts': `import { sdk } from '#sdk';\nexport default sdk;\n`,
  'connectors/two/index.ts': `import { evm } from '#evm';\nexport default evm;\n`,
  'sandbox/main.ts': `import { createServer } from 'node:http';\nvoid createServer;\n`,
};

/** One wrong file per line, and the rule that must name it. */
const wrongs: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['the-sdk-knows-only-zod-and-axios', 'src/sdk/wrong.ts', `import 'pino';`],
  ['evm-knows-only-sdk-and-ethers', 'src/evm/wrong.ts', `import '@nestjs/common';`],
  ['the-engine-knows-no-framework', 'src/engine/wrong-library.ts', `import 'jsforce';`],
  ['each-library-in-one-place', 'src/engine/wrong-library.ts', `import 'jsforce';`],
  ['the-engine-knows-no-framework', 'src/engine/wrong-core.ts', `import 'node:http';`],
  ['the-engine-knows-no-framework', 'src/engine/wrong-layer.ts', `import '#platform';`],
  ['platform-knows-no-feature-or-connector', 'src/platform/wrong.ts', `import '#runs';`],
  ['features-meet-at-their-doors', 'src/runs/wrong-door.ts', `import '../engine/rules.js';`],
  ['what-is-for-specs-stays-in-specs', 'src/runs/wrong-double.ts', `import '../evm/testing/chain.js';`],
  ['features-know-no-connector', 'src/runs/wrong-connector.ts', `import '../../connectors/one/index.js';`],
  ['connectors-use-only-the-sdk', 'connectors/one/wrong-neighbour.ts', `import '../two/index.js';`],
  ['connectors-use-only-the-sdk', 'connectors/one/wrong-room.ts', `import '#engine';`],
  ['connectors-bring-one-client-library', 'connectors/one/wrong-library.ts', `import 'pg';`],
  ['each-library-in-one-place', 'connectors/salesforce/query.action.ts', `import 'jsforce';`],
  ['each-library-in-one-place', 'src/runs/wrong-queue.ts', `import 'bullmq';`],
  ['each-library-in-one-place', 'src/flows/wrong-template.ts', `import 'handlebars';`],
  ['each-library-in-one-place', 'src/flows/wrong-http.ts', `import 'axios';`],
  ['nothing-imports-the-app', 'src/flows/wrong-app.ts', `import '../app.module.js';`],
  ['sandbox-is-alone', 'sandbox/wrong.ts', `import '#sdk';`],
  ['the-hub-needs-no-sandbox', 'src/flows/wrong-sandbox.ts', `import '../../sandbox/main.js';`],
  ['no-cycles', 'src/flows/wrong-circle-back.ts', `import './wrong-circle.js';`],
  ['no-orphans', 'src/flows/wrong-orphan.ts', `export const alone = 1;`],
  ['no-unresolved-imports', 'src/flows/wrong-nowhere.ts', `import './nowhere.js';`],
];

const beside: Record<string, string> = { 'src/flows/wrong-circle.ts': `import './wrong-circle-back.js';` };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchbay-boundaries-'));
  for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    await cp(join(root, file), join(folder, file));
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await write(soundHouse);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the boundary check', () => {
  it('given a house whose arrows all point the right way, then nothing is found', async () => {
    expect(await violations()).toEqual([]);
  });

  it('given one wrong import per rule, then each is named by its rule', async () => {
    await write({ ...Object.fromEntries(wrongs.map(([, file, text]) => [file, text])), ...beside });

    const found = await violations();
    const missed = wrongs.map(([rule, file]) => `${rule}: ${file}`).filter((line) => !found.includes(line));
    expect(missed).toEqual([]);
  });
});

async function write(files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
}

async function violations(): Promise<string[]> {
  const command = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [command, '--output-type', 'json', 'src', 'connectors', 'sandbox'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 64e6 });
  const report = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  return report.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`);
}
