import { describe, expect, it } from '@jest/globals';
import { runFlowTests } from './index.js';
import { testVocabulary } from './testing/flow-runs.js';

const flowText = `name: example
trigger: { uses: test.heard, where: { event.args.value: { gte: "{{parseUnits '10000' 6}}" } } }
steps:
  - { id: contact, uses: test.notify, with: { text: "{{event.args.to}}" } }
  - { id: ifttt, uses: test.notify, with: { text: "{{steps.contact.id}}", data: "{{formatUnits event.args.value 6}}" }, onError: continue }
`;

function run(tests: string) {
  return runFlowTests({
    flowText,
    testText: `flow: example.yaml\ntests:\n${tests}`,
    vocabulary: testVocabulary,
    testFile: 'example.test.yaml',
  });
}

const when = 'when: { args: { to: 0x00b2, value: 25000000000 } }';

describe('the test beside a flow', () => {
  it('given what the flow does, when it is tested, then the test passes', async () => {
    const { tests, faults } = await run(`
  - name: calls both
    given: { steps.contact: { id: 003A000001 } }
    ${when}
    then:
      run: completed
      calls:
        - test.notify: { text: 0x00b2 }
        - test.notify: { text: 003A000001, data: "25000" }
  - name: ignores small ones
    when: { args: { value: 1 } }
    then: { run: ignored }
  - name: goes on when the second is down
    given: { steps.contact: { id: 1 }, steps.ifttt: { error: connection.refused } }
    ${when}
    then: { run: completed, failed: [ifttt] }
  - name: is given up when the first is refused
    given: { steps.contact: { error: http.rejected } }
    ${when}
    then: { run: failed, failed: [contact], error: http.rejected }`);

    expect(faults).toEqual([]);
    expect(tests.map(({ name, passed, faults: found }) => [name, passed, found])).toEqual(
      tests.map(({ name }) => [name, true, []]),
    );
    expect(tests).toHaveLength(4);
  });

  it('given something else than the flow does, when it is tested, then each difference is shown at its line', async () => {
    const { tests } = await run(`
  - name: wrong
    given: { steps.contact: { id: a } }
    ${when}
    then:
      run: completed
      calls:
        - test.notify: { text: 0x00b3 }
        - test.notify:
            text: a
            data: "25"
        - test.notify: {}`);
    expect(tests[0]?.faults.map(({ line, rule, detail }) => `${line} ${rule} ${detail}`)).toEqual([
      '10 unexpected-call text: expected "0x00b3", received "0x00b2"',
      '13 unexpected-call data: expected "25", received "25000"',
      '14 missing-call Call 3 to test.notify was not made.',
    ]);
  });

  it('given a step without an answer, when another refers to it, then the report says which answer is missing', async () => {
    const { tests } = await run(`\n  - name: forgets\n    ${when}\n    then: { run: completed, failed: [] }`);
    expect(tests[0]?.passed).toBe(false);
    const { tests: failing } = await runFlowTests({
      flowText: flowText.replace(', onError: continue', ''),
      testText: `flow: x.yaml\ntests:\n  - name: forgets\n    ${when}\n    then: { run: completed }`,
      vocabulary: testVocabulary,
    });
    expect(failing[0]?.faults[0]).toMatchObject({
      rule: 'unexpected-end',
      fix: 'The test gives no answer of contact. Add under given: steps.contact: { id: … }',
    });
  });

  it('given wrong names in the test, when it is read, then nothing is run and each is a fault', async () => {
    const { tests, faults } = await run(`
  - name: wrong
    given: { steps.contct: {}, steps.ifttt: { error: no.such } }
    ${when}
    then: { run: completed, failed: [iftt], calls: [{ test.notfy: {} }] }`);
    expect(tests).toEqual([]);
    expect(faults.map(({ rule, fix }) => `${rule} ${fix}`)).toEqual([
      'unknown-step Did you mean steps.contact?',
      'unknown-code Use a code such as connection.refused or http.rejected.',
      'unknown-step Did you mean ifttt?',
      'unknown-action Did you mean test.notify?',
    ]);
  });
});
