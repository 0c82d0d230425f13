import { describe, expect, it } from '@jest/globals';
import { PipelineStage } from '../testing/pipeline-stage.js';

const result = (source: string, jobRun = {}) => new PipelineStage().result(source, { jobRun });

describe('arithmetic of jobs', () => {
  it.each([
    ['m [type=multiply input="1234567.123456789012345678" times="1000000000000000000"]', '1234567123456789012345678'],
    ['m [type=multiply input="123456789.123456789" times=<1e18>]', '123456789123456789000000000'],
    ['m [type=multiply input="+5" times="1e3"]', '5000'],
    ['m [type=multiply input="-0.5" times="3"]', '-1.5'],
    ['m [type=multiply input="10" times="10000000000000000000"]', '100000000000000000000'],
    ['m [type=divide input="10" divisor="3"]', '3.3333333333333333'],
    ['m [type=divide input="2" divisor="3"]', '0.6666666666666667'],
    ['m [type=divide input="5" divisor="2" precision="0"]', '3'],
    ['m [type=divide input="-5" divisor="2" precision="0"]', '-3'],
    ['m [type=divide input="155" divisor="1" precision="-1"]', '160'],
    ['m [type=divide input="154.9999999999999999999999" divisor="1" precision="-1"]', '150'],
    ['m [type=lessthan left="0.1" right="0.10000000000000000001"]', true],
    ['m [type=lessthan left="2" right="2"]', false],
    ['m [type=conditional data="true"]', true],
    ['m [type=sum values=<[1, "2.5", 1e1]>]', '13.5'],
    ['m [type=mean values=<[1, 2, 2]>]', '1.6666666666666667'],
    ['m [type=mean values=<[1, 2, 2]> precision="2"]', '1.67'],
    ['m [type=median values=<[3, 1, 2]>]', '2'],
    ['m [type=median values=<[4, 1, 2, 3]>]', '2.5'],
    ['m [type=mode values=<[1, "1", 2]>]', { results: ['1'], occurrences: '2' }],
    ['m [type=mode values=<[1, 2]>]', { results: ['1', '2'], occurrences: '1' }],
  ])('given %s, when it is done, then the result is exact', async (source, expected) => {
    await expect(result(source)).resolves.toEqual(expected);
  });

  it.each([' 1', '0x10', '1_000', '1,000', 'NaN', 'Infinity', '<html>', 'ff'])(
    'given the text "%s", when it is multiplied, then the task fails',
    async (text) => {
      await expect(result('m [type=multiply input="$(jobRun.x)" times="1"]', { x: text })).rejects.toMatchObject({
        code: 'oracle.answer',
      });
    },
  );

  it.each([
    ['m [type=divide input="1" divisor="0"]', /divisor is 0/],
    ['m [type=conditional data="false"]', /does not hold/],
    ['m [type=conditional data="maybe"]', /true or false/],
    ['m [type=multiply times="1"]', /no input/],
    ['m [type=multiply input="$(jobRun.nothing)" times="1"]', /decimal number, not nothing/],
  ])('given %s, when it is done, then it fails and says why', async (source, message) => {
    await expect(result(source, { nothing: null })).rejects.toThrow(message);
  });

  it('given times of 2^63 and more from a request, when it is multiplied, then it does not turn negative as in a node', async () => {
    const source = 'r [type=cborparse data="$(jobRun.d)"]; m [type=multiply input="2" times="$(r.a)"]; r -> m';
    await expect(result(source, { d: '0x61611b8ac7230489e80000' })).resolves.toBe('20000000000000000000');
  });
});

describe('values that are missing', () => {
  const sources = 'a [type=fail]; b [type=memo value=<3>]; c [type=memo value=<5>];';

  it('given one good value of three, when nothing is said about faults, then it is enough, as in a node', async () => {
    await expect(
      result(`a [type=fail]; b [type=fail]; c [type=memo value=<5>]; m [type=median]; {a b c} -> m`),
    ).resolves.toBe('5');
    await expect(result(`${sources} m [type=median values=<[$(a), $(b), $(c)]>]`)).resolves.toBe('4');
  });

  it('given fewer good values than allowed, when they are summed, then the task fails', async () => {
    await expect(result(`${sources} m [type=sum allowedFaults="0"]; {a b c} -> m`)).rejects.toThrow(
      /1 of the 3 values/,
    );
  });

  it('given no good value, when any is asked for, then the task fails; else chance decides', async () => {
    await expect(result('a [type=fail]; m [type=any]; a -> m')).rejects.toThrow(/No task before m/);
    const stage = new PipelineStage();
    stage.chance = 0.99;
    await expect(stage.result(`${sources} m [type=any]; {a b c} -> m`)).resolves.toBe('5');
  });
});

describe('text and bytes', () => {
  it.each([
    ['t [type=length input="xyz"]', '3'],
    ['t [type=length input="0x0102"]', '2'],
    ['t [type=length input="0x012"]', '5'],
    ['t [type=lowercase input="ABC"]', 'abc'],
    ['t [type=uppercase input="abc"]', 'ABC'],
    ['t [type=base64encode input="Hello"]', 'SGVsbG8='],
    ['t [type=base64decode input="SGVsbG8="]', '0x48656c6c6f'],
    ['t [type=hexdecode input="0x12ab"]', '0x12ab'],
    ['t [type=hexencode input="xyz"]', '0x78797a'],
    ['m [type=memo value=<255>]; t [type=hexencode]; m -> t', '0xff'],
    ['m [type=memo value=<"">]; t [type=hexencode]; m -> t', ''],
    ['m [type=memo value=<{"a": {"b": [1, 2.50]}}>]; t [type=lookup key="a"]; m -> t', { b: ['1', '2.5'] }],
    ['t [type=merge left=<{"a": 1, "b": 2}> right=<{"b": null}>]', { a: '1', b: null }],
  ])('given %s, when it is done, then it is converted', async (source, expected) => {
    await expect(result(source)).resolves.toEqual(expected);
  });

  it.each([
    ['t [type=hexdecode input="12ab"]', /0x and pairs/],
    ['t [type=base64decode input="no!"]', /no base64/],
    ['m [type=memo value=<-1>]; t [type=hexencode]; m -> t', /whole number of 0 or more/],
    ['m [type=memo value=<1.5>]; t [type=hexencode]; m -> t', /whole number/],
    ['m [type=memo value=<{}>]; t [type=lookup key="a"]; m -> t', /has no a/],
    ['t [type=fail msg="on purpose"]', /on purpose/],
  ])('given %s, when it is done, then it fails and says why', async (source, message) => {
    await expect(result(source)).rejects.toThrow(message);
  });
});

describe('JSON that a source answers', () => {
  const parse = (data: string, path: string, more = '') =>
    result(`t [type=jsonparse data="$(jobRun.data)" path="${path}" ${more}]`, { data });

  it('given numbers of many digits, when they are read, then every digit stays', async () => {
    await expect(parse('{"p": 1565616210741547008}', 'p')).resolves.toBe('1565616210741547008');
    await expect(parse('{"p": 0.123456789012345678901234567}', 'p')).resolves.toBe('0.123456789012345678901234567');
    await expect(parse('{"p": 1.5e-7}', 'p')).resolves.toBe('0.00000015');
  });

  it('given lists and names with commas, when a path leads through them, then it is followed', async () => {
    await expect(parse('{"a": [1, 2, {"b,c": 3}]}', 'a/-1/b,c', 'separator="/"')).resolves.toBe('3');
    await expect(parse('[[1],[2]]', '1,0')).resolves.toBe('2');
    await expect(parse('{"a": 1, "a": 2}', 'a')).resolves.toBe('2');
    await expect(parse('\uFEFF{"a": 1}', 'a')).resolves.toBe('1');
    await expect(parse('{"__proto__": {"x": 1}}', '__proto__,x')).resolves.toBe('1');
  });

  it('given a path that leads nowhere, when it is followed, then that is an error, or null where the job is lax', async () => {
    await expect(parse('{"a": {}}', 'a,b')).rejects.toThrow(/no a,b/);
    await expect(parse('{"a": [1]}', 'a,1')).rejects.toThrow(/no a,1/);
    await expect(parse('{"a": {}}', 'toString')).rejects.toThrow(/no toString/);
    await expect(parse('{"a": {}}', 'a,b', 'lax="true"')).resolves.toBeNull();
  });

  it('given a page instead, when it is read, then the error shows its beginning', async () => {
    await expect(parse('<html>busy</html>', 'a')).rejects.toThrow(/no JSON.*<html>busy/);
    await expect(parse('{"a": NaN}', 'a')).rejects.toThrow(/no JSON/);
  });
});

describe('data of requests', () => {
  const parse = (d: string, mode = '') => result(`t [type=cborparse data="$(jobRun.d)" ${mode}]`, { d });

  it('given keys and values without the marks of a map, when they are read, then they are a map', async () => {
    await expect(parse('0x')).resolves.toEqual({});
    await expect(parse('0x63676574637572')).rejects.toMatchObject({ code: 'oracle.data' });
    await expect(parse('0x636765746175')).resolves.toEqual({ get: 'u' });
    await expect(parse('0xbf636765746175ff')).resolves.toEqual({ get: 'u' });
    await expect(parse('0xa1636765746175')).resolves.toEqual({ get: 'u' });
    await expect(parse('0x6161c249010000000000000000')).resolves.toEqual({ a: '18446744073709551616' });
    await expect(parse('0x6161c3490100000000000000006162418f')).resolves.toEqual({
      a: '-18446744073709551617',
      b: '0x8f',
    });
  });

  it('given any value, when the mode is standard, then it is read as it is', async () => {
    await expect(parse('0x830102f6', 'mode="standard"')).resolves.toEqual(['1', '2', null]);
  });
});
