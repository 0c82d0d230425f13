import { describe, expect, it } from '@jest/globals';
import { readMessageBody } from './message-body.js';

describe('bodies of messages', () => {
  it('given YAML, when it is read, then numbers and addresses stay as they were written', () => {
    const text = `to: 0x00000000000000000000000000000000000000aa\ngas: 400000\nparams: [99999999999999999999, true, "7"]`;

    expect(readMessageBody(text)).toEqual({
      to: '0x00000000000000000000000000000000000000aa',
      gas: '400000',
      params: ['99999999999999999999', true, '7'],
    });
  });

  it('given JSON, when it is read, then it is JSON', () => {
    expect(readMessageBody('{"a":\t[1]}')).toEqual({ a: [1] });
  });

  it.each([
    ['nothing', ''],
    ['half of a list', '['],
    ['a bomb', 'a: &a [x]\nb: [*a, *a]'],
    ['depth', '['.repeat(50) + ']'.repeat(50)],
  ])('given %s, when it is read, then it is refused', (_what, text) => {
    expect(() => readMessageBody(text)).toThrow(expect.objectContaining({ code: 'request.invalid' }));
  });
});
