#!/usr/bin/env node
// The `patchbay` command of a checkout: what is out of date is compiled first, so that it never runs yesterday's code.
import { build } from './build.mjs';

await build();
await import('../dist/src/cli/index.js');
