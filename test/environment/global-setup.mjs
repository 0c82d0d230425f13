import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAbandoned } from './test-servers.mjs';

/** Names the folder in which the first spec that needs a database starts the server that all specs share. */
export default function globalSetup() {
  removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `patchbay-test-${process.pid}-`));
  chmodSync(folder, 0o711);
  process.env.PATCHBAY_TEST_DIR = folder;
}
