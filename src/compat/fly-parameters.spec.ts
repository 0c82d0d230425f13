import { describe, expect, it } from '@jest/globals';
import { flyParameters } from './fly-parameters.js';

const read = (query: Record<string, unknown>, headers: Record<string, string> = {}) =>
  flyParameters({ query, headers });

describe('how a call is made', () => {
  it.each([
    ['fly-', { 'fly-from': 'a', 'fly-gas': '5' }, {}],
    ['kld-', { 'KLD-From': 'a', 'kld-GAS': '0x5' }, {}],
    ['x-firefly-', {}, { 'x-firefly-from': 'a', 'x-firefly-gas': '5' }],
    ['x-kaleido-', {}, { 'x-kaleido-from': 'a', 'x-kaleido-gas': '5' }],
  ])('given parameters beginning with %s, when they are read, then they are understood', (_prefix, query, headers) => {
    expect(read(query, headers)).toMatchObject({ from: 'a', gas: 5n, isSync: false });
  });

  it('given a parameter in the query and as a header, when it is read, then the query wins', () => {
    expect(read({ 'fly-from': 'query' }, { 'x-firefly-from': 'header' }).from).toBe('query');
  });

  it.each([
    ['', true],
    ['true', true],
    ['TRUE', true],
    ['false', false],
  ])('given fly-sync=%p, when it is read, then it is %p', (value, isSync) => {
    expect(read({ 'fly-sync': value }).isSync).toBe(isSync);
  });

  it('given an address without 0x, when it is read, then it is one', () => {
    expect(read({ 'fly-from': 'AB'.repeat(20) }).from).toBe(`0x${'AB'.repeat(20)}`);
  });

  it('given what is not offered or cannot be read, when it is read, then each is named', () => {
    const query = { 'fly-privatefor': 'x', 'fly-nonce': '1', 'fly-gas': '-1', 'fly-from': ['a', 'b'], other: '1' };

    expect(() => read(query, { 'x-kaleido-privacygroupid': 'x', 'x-kaleido-traceid': 'theirs' })).toThrow(
      expect.objectContaining({
        code: 'request.invalid',
        faults: [
          '#/headers/x-kaleido-privacygroupid',
          '#/fly-privatefor',
          '#/fly-nonce',
          '#/fly-from',
          '#/fly-gas',
        ].map((pointer) => expect.objectContaining({ pointer }) as unknown),
      }),
    );
  });
});
