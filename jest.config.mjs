import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const { exclude: _, ...swc } = JSON.parse(readFileSync(new URL('./.swcrc', import.meta.url), 'utf8'));

// Listed one by one: a catch-all for `#…` would also catch the private imports of packages in node_modules.
const doors = readdirSync(new URL('./src', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    ...Object.fromEntries(doors.map((door) => [`^#${door}$`, `<rootDir>/src/${door}/index.ts`])),
  },
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swc, sourceMaps: 'inline' }] },
};

export default {
  // The first spec that needs a database waits until it is made, and machines of CI are slow.
  testTimeout: 240_000,
  // Much of the time is spent waiting for servers: three workers keep two cores busy, where two leave a quarter of them idle.
  // Each also has its chains, hubs and compilers: with more than four, they wait for each other and for memory.
  maxWorkers: Math.min(4, Math.ceil(availableParallelism() * 1.5)),
  workerIdleMemoryLimit: '600MB',
  globalSetup: '<rootDir>/test/environment/global-setup.mjs',
  globalTeardown: '<rootDir>/test/environment/global-teardown.mjs',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      roots: ['<rootDir>/src', '<rootDir>/connectors', '<rootDir>/sandbox', '<rootDir>/contracts'],
      testMatch: ['**/*.spec.ts'],
    },
    ...['house', 'integration', 'e2e', 'proof'].map((name) => ({
      ...shared,
      displayName: name,
      roots: ['<rootDir>/test'],
      testMatch: [`<rootDir>/test/${name}/**/*.spec.ts`],
    })),
  ],
};
