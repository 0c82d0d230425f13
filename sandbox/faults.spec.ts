import { describe, expect, it } from '@jest/globals';
import { Faults } from './faults.js';

const outcome = (faults: Faults, requests: number) =>
  Array.from({ length: requests }, () => (faults.next('ifttt') === undefined ? 'well' : 'ill')).join(' ');

describe('faults', () => {
  it('given how often, when requests come, then only the first ones meet it', () => {
    const faults = new Faults();
    faults.set('ifttt', { status: 503, times: 2 });

    expect(outcome(faults, 4)).toBe('ill ill well well');
  });

  it('given every third, when requests come, then every third meets it', () => {
    const faults = new Faults();
    faults.set('ifttt', { status: 503, everyNth: 3 });

    expect(outcome(faults, 6)).toBe('well well ill well well ill');
  });

  it('given a fault for one stand-in, when another is called, then it is well', () => {
    const faults = new Faults();
    faults.set('zapier', { status: 503 });

    expect(outcome(faults, 1)).toBe('well');
  });

  it('given a fault, when it is cleared, then all is well', () => {
    const faults = new Faults();
    faults.set('ifttt', { status: 503 });
    faults.clear('ifttt');

    expect(outcome(faults, 1)).toBe('well');
    expect(faults.list()).toEqual({});
  });
});
