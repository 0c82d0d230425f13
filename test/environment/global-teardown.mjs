import { removeServers } from './test-servers.mjs';

export default function globalTeardown() {
  removeServers(process.env.PATCHBAY_TEST_DIR);
}
