// `npm run check`: everything that must hold before a change is handed over. All steps are run, so that one call shows
// every fault. `--static` leaves the tests out.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { build } from './build.mjs';

const bin = (name) => `node_modules/${name}`;
const node = (...args) => [process.execPath, ...args];

const steps = [
  ['lint', node(bin('eslint/bin/eslint.js'), '.')],
  ['types', node(bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json')],
  ['format', node(bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.')],
  ['boundaries', node(bin('dependency-cruiser/bin/dependency-cruise.mjs'), 'src', 'connectors', 'sandbox', 'bench')],
  ['unused code', node(bin('knip/bin/knip.js'))],
  ['generated files', node('dist/scripts/generate.js', '--check')],
  ['compiled contracts', node('dist/contracts/build.js', '--check')],
  ['flows', node('scripts/patchbay.mjs', 'lint', 'flows')],
];
const tests = ['tests', node('scripts/test.mjs')];

await build();
const waiting = [...steps];
const failures = [];
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
// Alone, because its parts measure time.
if (!process.argv.includes('--static')) await step(...tests);

console.log(failures.length === 0 ? '\nEverything holds.' : `\nNot yet: ${failures.join(', ')}.`);
process.exit(failures.length === 0 ? 0 : 1);

async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await step(...next);
}

async function step(name, [command, ...args]) {
  const startedAt = performance.now();
  const { code, output } = await run(command, args);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)`);
  if (code === 0) return;
  failures.push(name);
  console.log(output.trimEnd());
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
