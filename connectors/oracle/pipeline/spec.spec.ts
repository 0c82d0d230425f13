import { describe, expect, it } from '@jest/globals';
import { parseJobSpec } from './spec.js';

const job = (source: string, more = '') =>
  `type = "webhook"\nschemaVersion = 1\n${more}observationSource = '''\n${source}\n'''\n`;

/** `line:column rule`, the rest of the sentence. */
function faultsOf(text: string, list: 'faults' | 'warnings' = 'faults'): readonly string[] {
  return parseJobSpec(text, 'job.toml')[list].map(
    ({ line, column, rule, detail, fix, file }) => `${file}:${line}:${column} ${rule} ${detail}${fix ? ` ${fix}` : ''}`,
  );
}

describe('faults of a job spec', () => {
  it('given a task of a type that is not known, when it is read, then its place in the file and the near one are told', () => {
    expect(faultsOf(job('  a [type=htpp url="https://a.example"]\n  b [type=vrfv2]'))).toEqual([
      'job.toml:4:6 unknown-task The task a is of the type htpp, which cannot be run here. Did you mean http?',
      'job.toml:5:6 unknown-task The task b is of the type vrfv2, which cannot be run here. Random numbers need the proving key of a node.',
    ]);
  });

  it('given escapes in the text of the tasks, when a fault is after them, then its place is that in the file', () => {
    const text =
      'type = "webhook"\nschemaVersion = 1\nobservationSource = """\na [type=memo value="{\\\\"k\\\\": 1}"]; b [type=memoo]\\n c [type=\\u0078]\n"""\n';
    expect(faultsOf(text).map((fault) => fault.split(' ')[0])).toEqual(['job.toml:4:40', 'job.toml:4:57']);
  });

  it('given a text that is no graph, when it is read, then the place is told', () => {
    expect(faultsOf(job('a [type=memo value\n'))[0]).toMatch(/^job.toml:4:19 dot The observationSource cannot be read/);
    expect(faultsOf(job('a [type=memo] -> \n'))[0]).toMatch(/^job.toml:4:\d+ dot/);
  });

  it('given tasks that need each other, when it is read, then the circle is shown', () => {
    expect(faultsOf(job('a [type=memo value="$(c)"]; b [type=memo]; c [type=memo]; a -> b -> c'))).toEqual([
      'job.toml:4:1 cycle The tasks need each other in a circle: a -> b -> c -> a. Remove one of the edges, or the $(…) that makes it.',
    ]);
  });

  it.each([
    ['a [type=memo value="$(x.y)"]', /^job.toml:4:14 unknown-variable value mentions \$\(x.y\)/],
    ['a [type=memo]; a -> b', /missing-type The task b has no type/],
    ['a [type=multiply input=2]', /missing-attribute The task a has no times/],
    ['a [type=memo timeout="5 s"]', /bad-value timeout must be a duration/],
    ['a [type=memo retries=-1]', /bad-value retries/],
    ['a [type=memo index=-1]', /index must be a whole number/],
    ['a [type=memo index=2]; b [type=memo index=2]', /index The tasks a and b have the same index 2/],
    ['input [type=memo]', /task-name/],
    ['a [type=http url="https://a.example" requestData="{no}"]', /json requestData is no JSON/],
    ['a [type=http url="https://a.example" requestData="{\\"a\\": \\"$(b)\\"}"]; b [type=memo]', /json requestData/],
    ['a [type=ethabiencode abi="(uint7 a)" data="{}"]', /There is no type uint7/],
    ['a [type=ethabiencode abi="(uint256)" data="{}"]', /needs a name/],
    ['a [type=ethabidecodelog abi="E((uint256 a) b)" topics="" data=""]', /Tuples/],
    ['a [type=cborparse mode="other"]', /mode must be diet or standard/],
    ['a [type=http method="GETT" url="https://a.example"]', /no method of HTTP/],
    ['a [type=memo]; b [type=memo]; c [type=lowercase]; {a b} -> c', /too-many-inputs lowercase takes 1/],
    ['subgraph { a [type=memo] }', /subgraph/],
    ['// nothing', /no-tasks/],
  ])('given %s, when it is read, then it is refused', (source, message) => {
    expect(faultsOf(job(source)).join('\n')).toMatch(message);
  });

  it('given what has no effect, when it is read, then it is a warning', () => {
    const text = job(
      'a [type=http url="https://a.example/$(b)" retires=2]; b [type=memo]; rankdir=LR',
      'externalJobid = "x"\n',
    );
    expect(faultsOf(text)).toEqual([]);
    expect(faultsOf(text, 'warnings')).toEqual([
      'job.toml:3:1 unknown-key Jobs of the type webhook have no externalJobid; it has no effect. Did you mean externalJobID?',
      expect.stringMatching(/^job.toml:5:14 literal-variable url keeps \$\(b\) as it is written/),
      'job.toml:5:43 unknown-attribute http has no attribute retires; it has no effect. Did you mean retries?',
      expect.stringMatching(/^job.toml:5:70 ignored/),
    ]);
  });
});

describe('keys of a job spec', () => {
  const direct = (lines: string) =>
    `type = "directrequest"\nschemaVersion = 1\n${lines}\nobservationSource = "a [type=memo value=1]"\n`;

  it('given every key, when it is read, then amounts keep their digits and durations are milliseconds', () => {
    const { spec, faults, warnings } = parseJobSpec(
      direct(
        'name = "n"\nexternalJobID = "0EEC7E1D-d0d2-476c-a1a8-72dfb6633f46"\nmaxTaskDuration = "1m30s"\ngasLimit = 600000\nforwardingAllowed = true\nevmChainID = "1"\ncontractAddress = "0x5FbDB2315678afecb367f032d93F642f64180aa3"\nminIncomingConfirmations = 5\nminContractPaymentLinkJuels = "123456789012345678901234567890"\nrequesters = ["0x5FbDB2315678afecb367f032d93F642f64180aa3"]',
      ),
    );
    expect({ faults, warnings }).toEqual({ faults: [], warnings: [] });
    expect(spec).toMatchObject({
      type: 'directrequest',
      externalJobID: '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46',
      maxTaskDurationMs: 90_000,
      gasLimit: '600000',
      evmChainID: '1',
      minIncomingConfirmations: 5,
      minContractPaymentLinkJuels: '123456789012345678901234567890',
    });
  });

  it.each([
    [
      'contractAddress = "0x5FbDB2315678afecb367f032d93F642f64180Aa3"',
      /3:19 bad-value .*checksum \(EIP-55\) and is wrong/,
    ],
    ['contractAddress = "0x12"', /3:19 bad-value contractAddress must be an address/],
    ['', /1:1 missing-key A job of the type directrequest needs contractAddress/],
    ['maxTaskDuration = "5 minutes"', /3:19 bad-value maxTaskDuration must be a duration/],
    ['externalJobID = "x"', /must be a UUID/],
    ['gasLimit = -1', /whole number/],
  ])('given %s, when it is read, then it is refused', (lines, message) => {
    expect(faultsOf(direct(lines)).join('\n')).toMatch(message);
  });

  it('given an address without a checksum, when it is read, then it is told that a node would refuse it', () => {
    const text = direct('contractAddress = "0x5fbdb2315678afecb367f032d93f642f64180aa3"');
    expect(faultsOf(text, 'warnings')).toEqual([expect.stringMatching(/3:19 .*a node would refuse it/)]);
  });

  it.each([
    ['type = "fluxmonitor"\nschemaVersion = 1\n', /1:8 unknown-job-type .*fluxmonitor/],
    ['schemaVersion = 1\n', /missing-key The spec has no type/],
    ['type = "cron\n', /1:\d+ toml The file is no TOML/],
    [
      'type = "cron"\nschemaVersion = 2\nschedule = "@every 1h"\nobservationSource = "a [type=memo]"',
      /2:17 .*must be 1/,
    ],
    ['type = "cron"\nschemaVersion = 1\nschedule = "* * * * *"\nobservationSource = "a [type=memo]"', /3:12 .*CRON_TZ/],
  ])('given %s, when it is read, then it is refused', (text, message) => {
    expect(faultsOf(text).join('\n')).toMatch(message);
  });
});
