import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { PipelineStage, plain } from '../testing/pipeline-stage.js';
import { formatKept, parseKept } from './kept-values.js';
import { fromPlain, toPlain, type ValueMap } from './value.js';

describe('running the tasks of a job', () => {
  it('given several terminal tasks, when all are done, then the results are ordered by index', async () => {
    const { outputs } = await new PipelineStage().run(
      'c [type=memo value=3 index=2]; a [type=memo value=1 index=0]; b [type=memo value=2 index=1]',
    );
    expect(outputs.map(plain)).toEqual(['1', '2', '3']);
  });

  it('given a task that only mentions another one, when it is done, then it waits for it and gets no input', async () => {
    const stage = new PipelineStage();
    await expect(stage.result('a [type=memo value=<[7]>]; b [type=multiply input="$(a.0)" times=2]')).resolves.toBe(
      '14',
    );
    await expect(stage.result('a [type=memo value=7]; b [type=merge left="$(a)" right=<{}>]')).rejects.toThrow(/map/);
  });

  it('given an inner task that failed, when the last one tolerates it, then the run is completed', async () => {
    const stage = new PipelineStage();
    const { state } = await stage.run('a [type=fail]; b [type=memo value=2]; m [type=mean]; {a b} -> m');
    expect(state).toBe('completed');
    const errored = await stage.run('a [type=fail msg="no price"]; b [type=multiply times=2]; a -> b');
    expect(errored.state).toBe('errored');
    expect(() => plain(errored.outputs[0]!)).toThrow('The task a failed: no price');
  });

  it('given inputs that are ordered by index, when they are read, then that is their order', async () => {
    const source = 'b [type=memo value=<"b"> index=1]; a [type=memo value=<"a"> index=0]; m [type=mode]; {b a} -> m';
    await expect(new PipelineStage().result(source)).resolves.toEqual({ results: ['a', 'b'], occurrences: '1' });
  });

  it('given retries, when a task fails, then it is tried so often in all, with growing pauses', async () => {
    const stage = new PipelineStage();
    stage.answers.set('https://a.example/', { status: 404 });
    const http = 'a [type=http url="https://a.example/" retries=4';
    await expect(stage.result(`${http} minBackoff="1s" maxBackoff="3s"]`)).rejects.toThrow(/404/);
    expect(stage.calls).toHaveLength(4);
    expect(stage.waits).toEqual([1_000, 2_000, 3_000]);
    stage.waits.length = 0;
    await expect(stage.result(`${http}]`)).rejects.toThrow(/404/);
    expect(stage.waits).toEqual([5_000, 10_000, 20_000]);
  });

  it('given a task that must not fail, when it fails, then the whole run does at once', async () => {
    const source = 'a [type=fail failEarly=true]; b [type=memo value=1]; m [type=any]; {a b} -> m';
    await expect(new PipelineStage().run(source)).rejects.toThrow(/The task a failed/);
  });

  it('given a limit of time, when a task takes longer, then it fails', async () => {
    const stage = new PipelineStage();
    stage.ports.http.call = () => new Promise(() => undefined);
    await expect(stage.result('a [type=http url="https://a.example/" timeout="10ms"]')).rejects.toMatchObject({
      code: 'connection.timeout',
    });
  });

  it('given what the job says about itself, when a task asks, then it is told', async () => {
    const stage = new PipelineStage();
    const source = 'a [type=memo value=<[$(jobSpec.externalJobID), $(jobSpec.name), $(jobRun.requestBody)]>]';
    await expect(
      stage.result(source, { job: { externalJobID: 'x', name: 'n' }, jobRun: { requestBody: 'b' } }),
    ).resolves.toEqual(['x', 'n', 'b']);
  });
});

describe('a run that is taken up again', () => {
  const source =
    'a [type=http url="https://a.example/"]; b [type=multiply times=2]; s [type=ethtx to="0x5fbdb2315678afecb367f032d93f642f64180aa3" data="$(w)"]; w [type=ethabiencode abi="(uint256 v)" data=<{"v": $(b)}>]; a -> b -> w -> s';

  it('given a transaction that is on its way, when the source says something else by then, then the same one is followed', async () => {
    const stage = new PipelineStage();
    stage.answers.set('https://a.example/', '21');
    stage.sending = () => Promise.reject(new PatchbayError('evm.pending'));
    let kept: ValueMap = {};
    const keep = (finished: ValueMap) => {
      kept = parseKept(formatKept(finished));
      return Promise.resolve();
    };
    await expect(stage.run(source, { keep })).rejects.toMatchObject({ code: 'evm.pending' });

    stage.answers.set('https://a.example/', '22');
    stage.sending = () => Promise.resolve();
    const { state } = await stage.run(source, { kept, keep });

    expect(state).toBe('completed');
    expect(stage.calls).toHaveLength(1);
    expect(stage.sent.map(({ data }) => data)).toEqual(Array(2).fill(`0x${'2a'.padStart(64, '0')}`));
  });

  it('given values of every kind, when they are kept, then the same come back', () => {
    const values = { n: fromPlain('1'), list: fromPlain([1.5, null, true, { a: Buffer.of(1, 2) }]) };
    const back = parseKept(formatKept(values));
    expect(toPlain(back)).toEqual({ n: '1', list: ['1.5', null, true, { a: '0x0102' }] });
    expect(back['n']).toBe('1');
  });
});
