import { removeServer } from './test-servers.mjs';

export default function globalTeardown() {
  removeServer(process.env.PATCHBAY_TEST_DIR);
}
