// `npm test`: the suite on the real parts, then the tests beside the flows. What is given behind `--` goes to Jest, and
// narrows the run to it: `npm test -- src/engine`. `--proof` runs the long ones instead.
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';

const isProof = process.argv.includes('--proof');
const given = process.argv.slice(2).filter((argument) => argument !== '--proof');
const projects = isProof ? ['proof'] : ['unit', 'house', 'integration', 'e2e'];

await build();
const results = [await runJest()];
if (!isProof && given.length === 0) results.push(await runFlowTests());

const passed = sum('passed');
const failed = sum('failed');
const skipped = sum('skipped');
if (skipped > 0) console.log(`\n${skipped} skipped; each is named above with its reason.`);
if (passed + failed === 0) console.log('\nNo test ran: that is a failure too.');
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(results.every(({ isGreen }) => isGreen) && passed > 0 && failed === 0 ? 0 : 1);

function sum(kind) {
  return results.reduce((total, result) => total + result[kind], 0);
}

async function runJest() {
  const counts = join(tmpdir(), `patchbay-tests-${process.pid}.json`);
  const { code } = await run(
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      ...given,
      '--selectProjects',
      ...projects,
      '--reporters=default',
      '--reporters=./scripts/test-counts.reporter.mjs',
      // A long test shares the machine with the hub it kills and measures; one that failed may leave something open.
      ...(isProof ? ['--runInBand', '--forceExit'] : []),
    ],
    { env: { ...process.env, PATCHBAY_TEST_COUNTS: counts }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const text = await readFile(counts, 'utf8').catch(() => '{}');
  await rm(counts, { force: true });
  const { passed = 0, failed = 0, skipped = 0 } = JSON.parse(text);
  return { isGreen: code === 0, passed, failed, skipped };
}

async function runFlowTests() {
  console.log('\nFlow tests');
  const { code, output } = await run(['scripts/patchbay.mjs', 'test', 'flows'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(output);
  const [, passed = 0, failed = 0] = /(\d+) passed, (\d+) failed/.exec(output) ?? [];
  return { isGreen: code === 0, passed: Number(passed), failed: Number(failed), skipped: 0 };
}

function run(args, options) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, options);
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
