import { describe, expect, it } from '@jest/globals';
import { messageOf } from './problem-message.js';

const fault = (name: string, fix?: string) => ({
  pointer: `#/input/${name}`,
  detail: 'It is missing',
  ...(fix !== undefined && { fix }),
});

describe('a problem as makers at Zapier see it', () => {
  it('given faults that the detail only counts, when it is told, then they are named', () => {
    const errors = [fault('network'), fault('colour', 'Did you mean color?')];

    expect(messageOf({ detail: '2 faults in the body of the request', errors })).toBe(
      '2 faults in the body of the request: input.network: It is missing; input.colour: It is missing. Did you mean color?',
    );
  });

  it('given very many and very long faults, when it is told, then the text stays short and ends with the remedy', () => {
    const errors = Array.from({ length: 90 }, (_, index) => fault(`${'x'.repeat(5_000)}${index}`));
    const message = messageOf({ detail: '90 faults', fix: 'Correct them.', errors });

    expect(message).toMatch(/; and 87 more\. Correct them\.$/);
    expect(message.length).toBeLessThan(600);
  });

  it('given a detail that names its faults, when it is told, then nothing is said twice', () => {
    const errors = [{ pointer: '#/fields/points', detail: 'Points is missing' }];

    expect(messageOf({ detail: 'Points is missing', fix: 'Give it.', errors })).toBe('Points is missing. Give it.');
  });
});
