/**
 * What tests that play courses at random begin with: always the same, so that a run that fails is a change that is at
 * fault. `PATCHBAY_TEST_SEED=7 npm test -- <spec>` plays others.
 */
export const seed = Number(process.env['PATCHBAY_TEST_SEED'] ?? 1);
