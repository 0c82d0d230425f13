// Hands the numbers of a Jest run to scripts/test.mjs, which adds those of the flow tests.
import { writeFileSync } from 'node:fs';

export default class TestCountsReporter {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests }) {
    // A file that could not even be loaded counts as a failure: its tests are missing, not passed.
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const counts = { passed: numPassedTests, failed, skipped: numPendingTests };
    writeFileSync(process.env.PATCHBAY_TEST_COUNTS, JSON.stringify(counts));
  }
}
