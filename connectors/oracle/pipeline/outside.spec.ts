import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { PipelineStage } from '../testing/pipeline-stage.js';

const url = 'https://a.example/price';

describe('sources over HTTP', () => {
  it('given a request with data, when it is sent, then it is JSON, also with GET, and the answer is text', async () => {
    const stage = new PipelineStage();
    stage.answers.set(url, { text: '{"a": 1}' });
    const source = `m [type=memo value=<1.50>]; a [type=http method=post url="${url}" requestData=<{"v": $(m)}> headers=<["X-One", "1"]>]`;
    await expect(stage.result(source)).resolves.toBe('{"a": 1}');
    expect(stage.calls[0]).toMatchObject({
      method: 'POST',
      body: '{"v":1.5}',
      headers: { 'content-type': 'application/json', 'x-one': '1' },
      timeoutMs: 15_000,
    });
  });

  it('given an address that a request brings, when it is called, then public ones only, unless the job says otherwise', async () => {
    const stage = new PipelineStage();
    stage.answers.set(url, 'x');
    const calls = [
      `a [type=http url="${url}"]`,
      'a [type=http url="$(jobRun.get)"]',
      'a [type=http url="$(jobRun.get)" ALLOWUNRESTRICTEDNETWORKACCESS=true]',
      `a [type=http url="${url}" allowUnrestrictedNetworkAccess="false"]`,
    ];
    for (const source of calls) await stage.result(source, { jobRun: { get: url } });
    expect(stage.calls.map(({ isUnrestricted }) => isUnrestricted)).toEqual([true, false, true, false]);
  });

  it.each([
    [500, 'http.failed'],
    [404, 'http.rejected'],
    [429, 'http.throttled'],
  ])('given the status %s, when a source answers with it, then the task fails with %s', async (status, code) => {
    const stage = new PipelineStage();
    stage.answers.set(url, { status, text: '{"error": "busy"}' });
    await expect(stage.result(`a [type=http url="${url}"]`)).rejects.toMatchObject({
      code,
      detail: expect.stringMatching(/busy/) as unknown,
    });
  });

  it('given an answer that is too long, when it comes, then the task fails rather than read half of it', async () => {
    const stage = new PipelineStage();
    stage.answers.set(url, 'x'.repeat(32_768));
    await expect(stage.result(`a [type=http url="${url}"]`)).resolves.toHaveLength(32_768);
    stage.answers.set(url, 'x'.repeat(32_769));
    await expect(stage.result(`a [type=http url="${url}"]`)).rejects.toThrow(/longer than the 32,768 bytes/);
  });

  it('given a source that leads elsewhere, when it is called, then every address is asked alike, without the headers of the job', async () => {
    const stage = new PipelineStage();
    stage.answers.set(url, { status: 302, headers: { location: 'https://b.example/x' } });
    stage.answers.set('https://b.example/x', 'there');
    const source = 'a [type=http method=POST url="$(jobRun.get)" requestData=<{}> headers=<["x-key", "secret"]>]';
    await expect(stage.result(source, { jobRun: { get: url } })).resolves.toBe('there');
    expect(stage.calls[1]).toMatchObject({ method: 'GET', isUnrestricted: false, body: undefined });
    expect(stage.calls[1]?.headers).toEqual({ 'content-type': 'application/json' });
    stage.answers.set('https://b.example/x', { status: 307, headers: { location: url } });
    await expect(stage.result(source, { jobRun: { get: url } })).rejects.toThrow(/circles/);
  });

  it('given several limits of time, when it is called, then the smallest counts, and 0s is none', async () => {
    const stage = new PipelineStage();
    stage.answers.set(url, 'x');
    for (const [timeout, maxTaskDurationMs] of [
      ['timeout="20s"', 30_000],
      ['timeout="0s"', undefined],
      ['', 2_000],
    ] as const) {
      await stage.result(`a [type=http url="${url}" ${timeout}]`, { job: { maxTaskDurationMs } });
    }
    expect(stage.calls.map(({ timeoutMs }) => timeoutMs)).toEqual([20_000, 600_000, 2_000]);
  });
});

describe('external adapters as bridges', () => {
  const source =
    'm [type=memo value=7]; a [type=bridge name="Price-Adapter" requestData=<{"data": {"x": 1}}> includeInputAtKey="in" MORE]; m -> a';
  const ask = (stage: PipelineStage, more = '', jobRun = {}) =>
    stage.result(source.replace('MORE', more), { jobRun: { meta: null, ...jobRun } });

  function withBridge(answer: Parameters<PipelineStage['answers']['set']>[1]): PipelineStage {
    const stage = new PipelineStage();
    stage.bridges.set('price-adapter', 'https://ea.example/');
    stage.answers.set('https://ea.example/', answer);
    return stage;
  }

  it('given a bridge, when it is called, then it gets data, meta and the input, with the headers of the connection', async () => {
    const stage = withBridge('{"data": {"result": 5}}');
    await expect(ask(stage, 'headers=<["x-key", "job"]>', { meta: { oracleRequest: 'r' } })).resolves.toBe(
      '{"data": {"result": 5}}',
    );
    expect(stage.calls.at(-1)).toMatchObject({
      method: 'POST',
      body: '{"data":{"x":1},"meta":{"oracleRequest":"r"},"in":7}',
      headers: { 'x-key': 'secret' },
    });
  });

  it.each([
    [
      { status: 500, text: '{"error": {"name": "AdapterError", "message": "no such pair"}}' },
      /status 500: no such pair/,
    ],
    [{ text: '{"statusCode": 502, "error": "down"}' }, /status 502: down/],
    [{ text: '{"statusCode": 200, "providerStatusCode": 404}' }, /status 404/],
    [{ text: '{"statusCode": 200, "error": {"message": "odd"}}' }, /status 500: odd/],
    [{ status: 201, text: '{"result": 1}' }, /status 201/],
    [{ text: '{"statusCode": 500, "error": "text"}' }, /status 500: text/],
    [{ status: 504, text: '{"errorMessage": "nothing yet"}' }, /status 504: nothing yet/],
  ])('given the answer %j, when it comes, then the task fails', async (answer, message) => {
    await expect(ask(withBridge(answer))).rejects.toThrow(message);
  });

  it('given a job that puts up with old answers, when the adapter fails, then the last one is taken', async () => {
    const stage = withBridge('{"result": 1}');
    await ask(stage, 'cacheTTL="10s"');
    stage.answers.set('https://ea.example/', { status: 500 });
    await expect(ask(stage, 'cacheTTL="10s"')).resolves.toBe('{"result": 1}');
    await expect(ask(stage)).rejects.toThrow(/status 500/);
  });

  it('given an adapter that answers later, when it is asked, then once, and its answer is the result', async () => {
    const stage = withBridge('{"pending": true}');
    await expect(ask(stage, 'async=true')).rejects.toMatchObject({ code: 'oracle.pending' });
    expect(JSON.parse(stage.calls[0]!.body!)).toMatchObject({ responseURL: 'https://hub.example/oracle/resume/1' });
    await expect(ask(stage, 'async=true')).rejects.toMatchObject({ code: 'oracle.pending' });
    expect(stage.calls).toHaveLength(1);
    stage.later.answer = { value: 'x' };
    await expect(ask(stage, 'async=true')).resolves.toBe('x');
    stage.later.answer = { error: 'no' };
    await expect(ask(stage, 'async=true')).rejects.toThrow(/error: no/);
  });

  it('given an adapter that was not reached, when it is tried again, then it is asked again; a quick answer is one', async () => {
    const stage = withBridge({ status: 503 });
    await expect(ask(stage, 'async=true')).rejects.toMatchObject({ code: 'oracle.adapter' });
    stage.answers.set('https://ea.example/', '{"result": 2}');
    await expect(ask(stage, 'async=true')).resolves.toBe('{"result": 2}');
  });

  it('given a name that the connection does not know, when it is called, then that is said', async () => {
    await expect(ask(new PipelineStage())).rejects.toMatchObject({ code: 'connection.invalid' });
  });
});

describe('ABI words', () => {
  const word = (digits: string) => digits.padStart(64, '0');
  const encode = (abi: string, data: string) =>
    new PipelineStage().result(`a [type=ethabiencode abi="${abi}" data=<${data}>]`);

  it.each([
    ['(uint256 a)', '{"a": 1.999}', `0x${word('1')}`],
    ['(uint256 a)', '{"a": "-0.5"}', `0x${word('0')}`],
    ['(uint256 a)', `{"a": 1e77}`, `0x${word((10n ** 77n).toString(16))}`],
    ['(int256 a)', '{"a": -1}', `0x${'f'.repeat(64)}`],
    ['(int64 a, bool b)', '{"a": 5, "b": "true", "more": 1}', `0x${word('5')}${word('1')}`],
    ['(bytes32 a)', '{"a": "Kraken"}', `0x${Buffer.from('Kraken').toString('hex').padEnd(64, '0')}`],
    ['(bytes4 a)', '{"a": "0x12"}', `0x12${'0'.repeat(62)}`],
    [
      '(address a)',
      '{"a": "0x5FBDB2315678afecb367f032d93F642f64180AA3"}',
      `0x${word('5fbdb2315678afecb367f032d93f642f64180aa3')}`,
    ],
    ['f(uint8[2] memory a)', '{"a": [1, 2]}', `0xa49a1ad4${word('1')}${word('2')}`.slice(10)],
    ['()', '{}', '0x'],
  ])('given %s and %s, when they are encoded, then as nodes do, or better', async (abi, data, expected) => {
    const encoded = (await encode(abi, data)) as string;
    expect(abi.startsWith('f') ? encoded.slice(10) : encoded).toBe(expected);
  });

  it.each([
    ['(uint256 a)', '{"a": -1}', /must be from 0/],
    ['(uint8 a)', '{"a": 256}', /from 0 to 255/],
    ['(uint256 a)', '{"a": "NaN"}', /decimal number/],
    ['(uint256 a)', '{"a": null}', /decimal number/],
    ['(uint256 a)', '{}', /data has no a/],
    ['(bytes32 a)', `{"a": "${'é'.repeat(17)}"}`, /34 bytes, and only 32/],
    ['(bool a)', '{"a": 2}', /true or false/],
    ['(address a)', '{"a": "0x12"}', /must be an address/],
  ])('given %s and %s, when they are encoded, then it is refused', async (abi, data, message) => {
    await expect(encode(abi, data)).rejects.toThrow(message);
  });

  it('given an ABI in JSON, when it has tuples, then they are encoded', async () => {
    const abi = JSON.stringify({
      name: 'f',
      inputs: [
        {
          name: 't',
          type: 'tuple',
          components: [
            { name: 'a', type: 'uint256' },
            { name: 'b', type: 'bool' },
          ],
        },
      ],
    });
    const encoded = await new PipelineStage().result(
      `a [type=ethabiencode2 abi=<${abi}> data=<{"t": {"a": 1, "b": true}}>]`,
    );
    expect(encoded).toMatch(new RegExp(`^0x[0-9a-f]{8}${word('1')}${word('1')}$`));
  });

  it('given words, when they are decoded, then numbers are numbers and bytes bytes', async () => {
    const data = `0x${word('2a')}${Buffer.from('hi').toString('hex').padEnd(64, '0')}`;
    const decoded = await new PipelineStage().result(
      `d [type=ethabidecode abi="uint256 a, bytes32 b" data="${data}"]; m [type=multiply input="$(d.a)" times=2]; l [type=length input="$(d.b)"]; o [type=memo value=<[$(m), $(l)]>]`,
    );
    expect(decoded).toEqual(['84', '32']);
    await expect(new PipelineStage().result('d [type=ethabidecode abi="uint256 a" data="0x12"]')).rejects.toThrow(
      /does not fit the abi/,
    );
  });

  it('given a log of another event, when it is decoded, then it is refused', async () => {
    const source = 'd [type=ethabidecodelog abi="E(uint256 a)" data="$(jobRun.logData)" topics="$(jobRun.logTopics)"]';
    const jobRun = { logData: `0x${word('1')}`, logTopics: [`0x${word('1')}`] };
    await expect(new PipelineStage().result(source, { jobRun })).rejects.toThrow(/not one of E/);
  });
});

describe('the chain', () => {
  const to = '0x5fbdb2315678afecb367f032d93f642f64180aa3';

  it('given a call, when the contract answers, then the result is bytes; when it reverts, the task fails', async () => {
    const stage = new PipelineStage();
    stage.chainAnswer = `0x${'0'.repeat(63)}7`;
    const source = `c [type=ethcall contract="${to}" data="0x1234" evmChainID=1]; d [type=ethabidecode abi="uint256 a" data="$(c)"]`;
    await expect(stage.result(source)).resolves.toEqual({ a: '7' });
    stage.chainAnswer = new PatchbayError('evm.reverted', { detail: 'paused' });
    await expect(stage.result(source)).rejects.toMatchObject({ code: 'evm.reverted' });
  });

  it('given an estimate, when it is above the limit of the job or there is none, then the limit counts', async () => {
    const stage = new PipelineStage();
    const source = `e [type=estimategaslimit to="${to}" data="0x" multiplier="1.5"]`;
    const job = { gasLimit: '100000' };
    await expect(stage.result(source, { job })).resolves.toBe('31500');
    stage.estimate = 90_000n;
    await expect(stage.result(source, { job })).resolves.toBe('100000');
    stage.estimate = new PatchbayError('evm.reverted');
    await expect(stage.result(source, { job })).resolves.toBe('100000');
    await expect(stage.result(source)).rejects.toMatchObject({ code: 'evm.reverted' });
  });

  it('given a transaction, when it is sent, then with what the task and the job say', async () => {
    const stage = new PipelineStage();
    await stage.result(
      `s [type=ethtx to="${to}" data="0x12" from="[\\"${to}\\"]" minConfirmations=2 failOnRevert=false]`,
      { job: { gasLimit: '7', evmChainID: '5' } },
    );
    expect(stage.sent).toEqual([
      { task: 's', to, data: '0x12', from: [to], gasLimit: '7', confirmations: 2, failsOnRevert: false, chainId: '5' },
    ]);
  });
});
