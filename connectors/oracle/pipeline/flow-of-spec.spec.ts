import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { loadFlow } from '#engine';
import { catalogOf } from '../../../test/builders/catalog-of.js';
import { builtInConnectors } from '../../index.js';
import { cronOf } from './cron-of-schedule.js';
import { flowOfSpec, type FlowOptions } from './flow-of-spec.js';
import { plainFlowOf } from './plain-flow.js';
import { parseJobSpec, type JobSpec } from './spec.js';

const vocabulary = catalogOf(builtInConnectors);

const options: FlowOptions = {
  name: 'imported',
  file: 'job.toml',
  connection: 'oracle',
  job: undefined,
  chainUrls: 'public',
};

async function specOf(name: string): Promise<JobSpec> {
  const text = await readFile(new URL(`../testing/jobs/${name}.toml`, import.meta.url), 'utf8');
  return parseJobSpec(text).spec!;
}

const samples = ['get-uint256', 'get-int256', 'get-bool', 'get-bytes', 'get-multi-word', 'cron', 'webhook'];

describe('a flow made of a job spec', () => {
  it.each(samples)('given the sample %s, when it is imported, then the flow has no faults', async (name) => {
    const made = flowOfSpec(await specOf(name), options);

    expect('text' in made && loadFlow(made.text, { vocabulary }).faults).toEqual([]);
    expect(made).not.toMatchObject({ text: expect.stringMatching(/allowUnrestricted/) as unknown });
  });

  it('given what the spec says about requests, when it is imported, then the trigger says the same', async () => {
    const made = flowOfSpec(await specOf('get-uint256'), options);

    expect('text' in made && made.text.slice(0, made.text.indexOf('      source:'))).toBe(
      `# yaml-language-server: $schema=../docs/flow.schema.json
name: imported
description: 'get > uint256: the directrequest job of job.toml.'

trigger:
  uses: oracle.request
  connection: oracle
  with:
    job: 0eec7e1d-d0d2-476c-a1a8-72dfb6633f46
    minPayment: '100000000000000000'
    confirmations: 1

steps:
  - id: run
    uses: oracle.pipeline
    connection: oracle
    with:
      job:
        externalJobID: 0eec7e1d-d0d2-476c-a1a8-72dfb6633f46
        name: 'get > uint256'
        evmChainID: '31337'
        maxTaskDuration: 30000ms
      request: '{{event.request}}'
`,
    );
  });

  it('given tasks that go anywhere a request says, when nobody has decided, then it is refused with their places', async () => {
    const made = flowOfSpec(await specOf('get-multi-word'), { ...options, chainUrls: undefined });

    expect('faults' in made && made.faults.map(({ rule, line, column }) => [rule, line, column])).toEqual([
      ['open-address', 18, 60],
      ['open-address', 21, 60],
      ['open-address', 24, 60],
    ]);
    const kept = flowOfSpec(await specOf('get-multi-word'), { ...options, chainUrls: 'allowed' });
    expect(kept).toMatchObject({ text: expect.stringMatching(/allowUnrestrictedNetworkAccess="true"/) as unknown });
  });

  it.each(['"t"', '"TRUE"', '1', '<true>', '"$(params.any)"'])(
    'given a task that goes anywhere because of %s, when only public addresses are wanted, then that is taken out',
    async (written) => {
      const text = await readFile(new URL('../testing/jobs/get-uint256.toml', import.meta.url), 'utf8');
      const access = (value: string) =>
        text.replace('allowUnrestrictedNetworkAccess="true"', `allowUnrestrictedNetworkAccess=${value}`);
      const { spec } = parseJobSpec(access(written));

      expect(flowOfSpec(spec!, options)).toMatchObject({
        text: expect.not.stringMatching(/allowUnrestricted/) as unknown,
      });
      expect(flowOfSpec(spec!, { ...options, chainUrls: undefined })).toMatchObject({
        faults: [{ rule: 'open-address' }],
      });
      expect(plainFlowOf(spec!, options)).toContain('onlyPublic: true');
      expect(plainFlowOf(spec!, { ...options, chainUrls: 'allowed' })).not.toContain('onlyPublic');
      const strict = parseJobSpec(access('"false"')).spec!;
      expect(flowOfSpec(strict, options)).toMatchObject({ text: expect.stringMatching(/Access="false"/) as unknown });
      expect(plainFlowOf(strict, { ...options, chainUrls: 'allowed' })).toContain('onlyPublic: true');
    },
  );

  it('given a job without an id, when it is imported, then the id is asked for', async () => {
    const { externalJobID: _, ...spec } = await specOf('get-bool');
    expect(flowOfSpec(spec, options)).toMatchObject({ faults: [{ rule: 'missing-key' }] });
    expect(flowOfSpec(spec, { ...options, job: 'my-job' })).toMatchObject({
      text: expect.stringMatching(/job: my-job\n/) as unknown,
    });
  });

  it('given tasks with two braces, when they are imported, then they are refused: a flow would fill them in', async () => {
    const { spec } = parseJobSpec(
      'type = "webhook"\nschemaVersion = 1\nobservationSource = """a [type=memo value="{{"]"""\n',
    );
    expect(flowOfSpec(spec!, options)).toMatchObject({ faults: [{ rule: 'template' }] });
  });
});

describe('the same in ordinary steps', () => {
  it.each(['get-uint256', 'get-int256', 'get-multi-word'])(
    'given the sample %s, when there are steps that do the same, then the flow has no faults',
    async (name) => {
      const text = plainFlowOf(await specOf(name), options);

      expect(text !== undefined && loadFlow(text, { vocabulary }).faults).toEqual([]);
    },
  );

  it('given a number, when it is said in steps, then its source, path and factor are those of the request', async () => {
    const text = plainFlowOf(await specOf('get-uint256'), options);

    expect(text?.slice(text.indexOf('steps:'))).toBe(`steps:
  - id: value
    uses: oracle.collect
    with:
      sources:
        - name: source1
          url: '{{event.params.get}}'
          path: '{{event.params.path}}'
          onlyPublic: true

  - id: answer
    uses: oracle.fulfill
    connection: oracle
    with:
      request: '{{event.request}}'
      type: uint256
      value: '{{steps.value.value}}'
      times: '{{event.params.times}}'
`);
  });

  it.each(['get-bool', 'get-bytes', 'cron', 'webhook'])(
    'given the sample %s, when steps would do something else, then there are none',
    async (name) => {
      expect(plainFlowOf(await specOf(name), options)).toBeUndefined();
    },
  );
});

describe('times of a job', () => {
  it.each([
    ['CRON_TZ=UTC 0 */5 * * * *', { cron: '0 */5 * * * *', timezone: 'UTC' }],
    ['CRON_TZ=Europe/Berlin @daily', { cron: '0 0 * * *', timezone: 'Europe/Berlin' }],
    ['@every 30s', { cron: '*/30 * * * * *', timezone: 'UTC' }],
    ['@every 1h', { cron: '0 */1 * * *', timezone: 'UTC' }],
    ['@every 24h', { cron: '0 0 * * *', timezone: 'UTC' }],
    ['@every 7h', undefined],
    ['@every 90s', undefined],
  ])('given %s, when it is imported, then these are the times', (schedule, expected) => {
    expect(cronOf(schedule)).toEqual(expected);
  });
});
