import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { callAction } from '../../test/builders/action-call.js';
import { collect } from './collect.action.js';
import { curate } from './curated-value.js';
import { formatDecimal, parseDecimal } from './decimal.js';

/** What is answered under each path. */
const answers = new Map<string, { readonly status?: number; readonly body: string; readonly headers?: object }>();
let server: Server;
let origin: string;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${String(request.headers['x-key'])} ${request.url ?? ''}`);
    const answer = answers.get(request.url ?? '');
    // What is not known stalls.
    if (answer) response.writeHead(answer.status ?? 200, { ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

let number = 0;

function aSource(body: string, more: Record<string, unknown> = {}, answer: object = {}): Record<string, unknown> {
  number += 1;
  answers.set(`/${String(number)}`, { body, ...answer });
  return { name: `source-${String(number)}`, url: `${origin}/${String(number)}`, ...more };
}

type Collected = Awaited<ReturnType<typeof collect.run>>;

async function collected(sources: readonly object[], rules: Record<string, unknown> = {}): Promise<Collected> {
  return await callAction(collect, { with: { sources, timeout: '20s', ...rules } });
}

async function faultOf(body: string, more: Record<string, unknown> = {}, answer: object = {}): Promise<string> {
  const { sources, good } = await collected([aSource('1'), aSource('1'), aSource(body, more, answer)]);
  expect(good).toBe(2);
  expect(sources[2]).not.toHaveProperty('value');
  return `${sources[2]!.fault!.code}: ${sources[2]!.fault!.detail}`;
}

describe('oracle.collect', () => {
  it('given three sources, when they are asked, then the median comes back with every digit', async () => {
    const output = await collected([
      aSource('{"data":{"price":3512.870000000000000001}}', { path: ['data', 'price'] }),
      aSource('{"result":{"ETHUSD":{"c":["3512.870000000000000003","x"]}}}', { path: 'result,ETHUSD,c,0' }),
      aSource('{"trades":[{"price":1},{"price":351287.0000000000000002}]}', {
        path: ['trades', -1, 'price'],
        times: '0.01',
      }),
    ]);
    expect(output).toMatchObject({ value: '3512.870000000000000002', good: 3, total: 3 });
    expect(output.sources.map(({ value }) => value)).toEqual([
      '3512.870000000000000001',
      '3512.870000000000000003',
      '3512.870000000000000002',
    ]);
    expect(Date.parse(output.observedAt)).toBeLessThanOrEqual(Date.now());
  });

  it('given sources that the connection knows, when they are asked, then its headers go along, and nowhere else', async () => {
    answers.set('/known/price?of=eth', { body: '7' });
    const known = { url: `${origin}/known`, headers: { 'x-key': 'geheim' } };
    const ask = (url: string) =>
      callAction(collect, {
        settings: { sources: { known } },
        with: { sources: [{ name: 'known', url }], timeout: '20s' },
      });

    expect(await ask('/price?of=eth')).toMatchObject({ value: '7' });
    expect(seen).toContain('geheim /known/price?of=eth');
    await expect(ask('/../price')).rejects.toMatchObject({ code: 'oracle.sources', faults: [{ rule: 'flow.input' }] });
    await expect(collected([{ name: 'known', url: '/price' }])).rejects.toMatchObject({
      faults: [{ rule: 'connection.invalid' }],
    });
  });

  it('given an address that strangers choose, when it leads into the network, then nobody is asked', async () => {
    const before = seen.length;
    const known = { url: origin, headers: { 'x-key': 'geheim' } };
    const ask = (url: string) =>
      callAction(collect, {
        settings: { sources: { known } },
        with: { sources: [{ name: 'known', url, onlyPublic: true }] },
      });

    await expect(ask(`${origin}/1`)).rejects.toMatchObject({ faults: [{ rule: 'target.forbidden' }] });
    await expect(ask('/1')).rejects.toMatchObject({ faults: [{ rule: 'flow.input' }] });
    expect(seen).toHaveLength(before);
  });

  it('given an even number, when they are asked, then it is the exact mean of the middle two', async () => {
    expect(await collected([aSource('1'), aSource('1.000000000000000000001')])).toMatchObject({
      value: '1.0000000000000000000005',
    });
    expect(await collected([aSource('-3'), aSource('1e77')])).toMatchObject({
      value: `4${'9'.repeat(75)}8.5`,
    });
  });

  it('given decimals, when the median has more, then it is rounded', async () => {
    expect(await collected([aSource('2.345')], { decimals: 2 })).toMatchObject({ value: '2.35' });
    expect(await collected([aSource('-2.345')], { decimals: 2, rounding: 'truncate' })).toMatchObject({
      value: '-2.34',
    });
    expect(await collected([aSource('1300')], { decimals: 2 })).toMatchObject({ value: '1300' });
  });

  it.each([
    ['NaN', 'NaN', {}, 'oracle.answer: The answer is no JSON'],
    ['NaN in JSON', '{"p":NaN}', { path: 'p' }, 'oracle.answer: The answer is no JSON'],
    ['NaN as text', '{"p":"NaN"}', { path: 'p' }, 'oracle.answer: The value must be a decimal number, not "NaN"'],
    ['infinity', '{"p":"Infinity"}', { path: 'p' }, 'oracle.answer: The value must be a decimal number'],
    ['null', 'null', {}, 'oracle.answer: The value must be a decimal number, not null'],
    ['null at the path', '{"p":null}', { path: 'p' }, 'oracle.answer: The value must be a decimal number, not null'],
    ['true', '{"p":true}', { path: 'p' }, 'oracle.answer: The value must be a decimal number, not true'],
    ['empty text', '{"p":""}', { path: 'p' }, 'oracle.answer: The value must be a decimal number'],
    ['thousands', '{"p":"1,000"}', { path: 'p' }, 'oracle.answer: The value must be a decimal number'],
    ['hexadecimal text', '{"p":"0x10"}', { path: 'p' }, 'oracle.answer: The value must be a decimal number'],
    ['an object', '{"p":{"q":1}}', { path: 'p' }, 'oracle.answer: The value must be a decimal number, not an object'],
    ['a wrong key', '{"p":{"q":1}}', { path: 'p,r' }, 'oracle.answer: The answer has no p,r: an object has no r'],
    ['a place too far', '{"p":[1]}', { path: 'p,1' }, 'oracle.answer: The answer has no p,1'],
    ['a place too far from the end', '{"p":[1]}', { path: 'p,-2' }, 'oracle.answer: The answer has no p,-2'],
    ['what every object has', '{"p":1}', { path: 'constructor' }, 'oracle.answer: The answer has no constructor'],
    ['the prototype', '{"p":1}', { path: '__proto__' }, 'oracle.answer: The answer has no __proto__'],
    [
      'HTML',
      '<!doctype html><p>soon back</p>',
      { path: 'p' },
      'oracle.answer: The answer is no JSON; it begins "<!doctype',
    ],
    ['nothing', '', { path: 'p' }, 'oracle.answer: The answer is no JSON'],
    ['half a document', '{"p":1', { path: 'p' }, 'oracle.answer: The answer is no JSON'],
    ['a deep document', '['.repeat(200_000), { path: 'p' }, 'oracle.answer: The answer is no JSON'],
    [
      'a document that is cut off',
      `{"p":1,"pad":"${'x'.repeat(1_100_000)}"}`,
      { path: 'p' },
      'oracle.answer: The answer is no JSON',
    ],
    ['far too many digits', `1${'0'.repeat(2_000)}`, {}, 'oracle.answer: The value has more than'],
  ])('given %s, when it is asked, then that is a fault and no value', async (_title, body, more, fault) => {
    expect(await faultOf(body, more)).toContain(fault);
  });

  it('given a byte order mark and a key twice, when it is asked, then it is read like everybody reads it', async () => {
    expect(await collected([aSource('\uFEFF{"p":1,"p":2}', { path: 'p' })])).toMatchObject({ value: '2' });
  });

  it.each([
    [500, 'http.failed'],
    [404, 'http.rejected'],
    [429, 'http.throttled'],
    [302, 'http.'],
  ])('given the status %i, when it is asked, then that is a fault', async (status, code) => {
    expect(await faultOf('1', {}, { status, headers: { location: `${origin}/1` } })).toContain(code);
  });

  it('given sources that stall, or are not to be reached, when they are asked, then the others count', async () => {
    const sources = [
      aSource('5'),
      aSource('6'),
      aSource('7'),
      { name: 'stalls', url: `${origin}/stalls` },
      { name: 'inside', url: 'http://10.0.0.1/price' },
    ];
    const output = await collected(sources, { timeout: '3s' });
    expect(output).toMatchObject({ value: '6', good: 3, total: 5 });
    expect(output.sources.slice(3).map(({ name, fault }) => [name, fault!.code])).toEqual([
      ['stalls', 'connection.timeout'],
      ['inside', 'target.forbidden'],
    ]);
  });

  it('given fewer good answers than half, when they are asked, then it fails and names each fault', async () => {
    const sources = [aSource('5'), aSource('oops', { name: 'liar' }), aSource('null', { name: 'mute' })];
    await expect(collected(sources)).rejects.toMatchObject({
      code: 'oracle.sources',
      retry: 'later',
      detail: expect.stringMatching(/^1 of 3 sources .* 2 are needed\. liar: The answer is no JSON.*; mute: The value/),
      faults: [{ pointer: '/sources/1' }, { pointer: '/sources/2' }],
    });
    expect(await collected(sources, { minimum: 1 })).toMatchObject({ value: '5', good: 1 });
    await expect(collected([aSource('1'), aSource('x')])).rejects.toMatchObject({ code: 'oracle.sources' });
  });

  it('given an outlier, when it is further away than allowed, then it is named and does not count', async () => {
    const sources = ['100', '101', '99', '150'].map((body) => aSource(body));
    const output = await collected(sources, { outliers: { percent: 2 } });
    expect(output).toMatchObject({ value: '100', good: 3 });
    expect(output.sources[3]).toMatchObject({
      value: '150',
      fault: { code: 'oracle.answer', detail: 'It is 49.25 % away from the median of all' },
    });
    await expect(collected([aSource('1'), aSource('2')], { outliers: { percent: 2 } })).rejects.toMatchObject({
      code: 'oracle.sources',
    });
  });

  it('given bounds, when a value is outside, then it does not count', async () => {
    const sources = ['-1', '10', '11', '12', '1000'].map((body) => aSource(body));
    expect(await collected(sources, { min: 0, max: '999.9' })).toMatchObject({ value: '11', good: 3 });
  });

  it('given headers, when it is asked, then they go along', async () => {
    await collected([aSource('1', { headers: { 'X-Key': 'k1' } })]);
    expect(seen.at(-1)).toBe(`k1 /${String(number)}`);
  });

  it.each([
    [{ sources: [] }],
    [{ sources: [{ name: 'a', url: 'file:///etc/passwd' }] }],
    [{ sources: [{ name: 'a', url: 'http://a' }], minimum: 2 }],
    [
      {
        sources: [
          { name: 'a', url: 'http://a' },
          { name: 'a', url: 'http://b' },
        ],
      },
    ],
  ])('given %j, when it is read, then it is refused', (written) => {
    expect(collect.input.safeParse(written).success).toBe(false);
  });
});

describe('curating', () => {
  it('given any values of which fewer than half are wrong, then the median lies among the right ones', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(-(10n ** 40n), 10n ** 40n), { minLength: 1, maxLength: 15 }),
        fc.array(fc.bigInt(-(10n ** 77n), 10n ** 77n), { maxLength: 14 }),
        (right, wrong) => {
          const liars = wrong.slice(0, right.length - 1);
          const quotes = [...right, ...liars].map((value) => ({ name: '', value: parseDecimal(value) }));
          const { value } = curate(quotes, undefined);
          const sorted = right.map((one) => parseDecimal(one)).sort((one, other) => one.cmp(other));
          expect(value!.gte(sorted[0]!) && value!.lte(sorted.at(-1)!)).toBe(true);
        },
      ),
    );
  });

  it('given values around zero, when the median of all is zero, then only zero is near', () => {
    const quotes = ['-1', '0', '0', '0.0001'].map((text) => ({ name: text, value: parseDecimal(text) }));
    const { value, outliers } = curate(quotes, parseDecimal(50));
    expect(formatDecimal(value!)).toBe('0');
    expect(outliers.map(({ name }) => name)).toEqual(['-1', '0.0001']);
  });
});
