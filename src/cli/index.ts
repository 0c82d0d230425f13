import { processIo } from './io.js';
import { runCli } from './program.js';

// Not `process.exit`: what was written to a pipe must arrive, and `start` goes on.
process.exitCode = await runCli(process.argv.slice(2), processIo());
