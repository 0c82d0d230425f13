// The process in which solc runs: solc is WebAssembly that no flag can stop once it has begun, so its parent kills it.
// In: one line of JSON per compilation, `{ folder, input }`. Out, on descriptor 3: one line of JSON about the outcome,
// and then as many bytes as it announces.
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const answers = new Socket({ fd: 3, readable: false, writable: true });
const compilers = new Map();

// The end of the input is the end of the parent.
createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on('line', (line) => answer(JSON.parse(line)))
  .on('close', () => process.exit());

function answer({ folder, input }) {
  try {
    const solc = load(folder);
    const output = Buffer.from(solc.compile(input));
    send('compiled', output);
  } catch (error) {
    send('crashed', Buffer.from(error instanceof Error ? `${error.name}: ${error.message}` : String(error)));
  }
}

function load(folder) {
  if (!compilers.has(folder)) compilers.set(folder, require(folder));
  return compilers.get(folder);
}

function send(outcome, content) {
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  const header = { outcome, bytes: content.byteLength, memoryBytes: process.memoryUsage.rss(), cpuSeconds };
  answers.write(`${JSON.stringify(header)}\n`);
  answers.write(content);
}
