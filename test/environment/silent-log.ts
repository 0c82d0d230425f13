import type { SandboxLog } from '../../sandbox/index.js';

export const silentLog: SandboxLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
