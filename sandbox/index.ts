/** The outside world for the quick start and the tests: real protocols, a development chain, and faults on demand. */
export { startSandbox, type Sandbox, type SandboxOptions } from './sandbox.js';
export type { Fault } from './faults.js';
export type { Received } from './received.js';
export type { SinkReport } from './sink.js';
export type { SandboxLog } from './log.js';
