import { describe, expect, it } from '@jest/globals';
import { canonicalJob, isJobId, isSameJob, jobOf, specIdOf, specIdsOf } from './job-id.js';

const uuid = '0eec7e1d-d0d2-476c-a1a8-72dfb6633f46';
const asText = '0x3065656337653164643064323437366361316138373264666236363333663436';
const asBytes = '0x0eec7e1dd0d2476ca1a872dfb6633f4600000000000000000000000000000000';

describe('the id of a job', () => {
  it('given a UUID, when it is spelt, then its text and its bytes are listed', () => {
    expect(specIdsOf(uuid)).toEqual(expect.arrayContaining([asText, asBytes]));
    expect(specIdsOf(uuid.toUpperCase())).toEqual(specIdsOf(uuid));
    expect(specIdsOf(uuid.replaceAll('-', ''))).toEqual(specIdsOf(uuid));
  });

  it.each([
    ['text', asText],
    ['bytes', asBytes],
    ['text in capitals', `0x${Buffer.from('0EEC7E1DD0D2476CA1A872DFB6633F46').toString('hex')}`],
    ['text of mixed case', `0x${Buffer.from('0Eec7E1dD0d2476cA1a872DFB6633f46').toString('hex')}`],
  ])('given a word that is the %s of a UUID, when it is read, then it is that job', (_kind, specId) => {
    expect(jobOf(specId)).toBe(uuid);
    expect(isSameJob(specId, uuid)).toBe(true);
    expect(isSameJob(specId, uuid.toUpperCase())).toBe(true);
    expect(isSameJob(specId, 'ffffffff-d0d2-476c-a1a8-72dfb6633f46')).toBe(false);
  });

  it('given a name, when it is spelt, then it has one word, and its case counts', () => {
    const [word] = specIdsOf('eth-usd');
    expect(word).toBe(`0x${Buffer.from('eth-usd').toString('hex').padEnd(64, '0')}`);
    expect(jobOf(word!)).toBe('eth-usd');
    expect(isSameJob(word!, 'ETH-USD')).toBe(false);
  });

  it('given bytes that happen to be letters, when they are those of the UUID asked for, then it is that job', () => {
    const letters = '61626364-6566-6768-696a-6b6c6d6e6f70';
    const word = specIdsOf(letters)[1]!;
    expect(jobOf(word)).toBe('abcdefghijklmnop');
    expect(isSameJob(word, letters)).toBe(true);
  });

  it('given a job, when it is asked for, then it is written as consumers do it', () => {
    expect(specIdOf(uuid.toUpperCase())).toBe(specIdsOf(uuid)[0]);
    expect(specIdOf('price')).toBe(specIdsOf('price')[0]);
    expect(specIdOf('x'.repeat(33))).toBeUndefined();
  });

  it('given a word without meaning, when it is read, then it is shown as it is', () => {
    expect(jobOf(`0x${'fe'.repeat(32)}`)).toBe(`0x${'fe'.repeat(32)}`);
    expect(jobOf(`0x${'0'.repeat(64)}`)).toBe(`0x${'0'.repeat(64)}`);
  });

  it.each([
    [uuid, true],
    ['x', true],
    ['a'.repeat(32), true],
    ['a'.repeat(33), false],
    ['ü'.repeat(16), true],
    ['ü'.repeat(17), false],
    ['', false],
    ['a\0b', false],
  ])('given %j, when it is checked, then it may be one: %s', (job, isOne) => {
    expect(isJobId(job)).toBe(isOne);
  });

  it('given a UUID without dashes in capitals, when it is shown, then it has the usual form', () => {
    expect(canonicalJob('0EEC7E1DD0D2476CA1A872DFB6633F46')).toBe(uuid);
  });
});
