import { describe, expect, it } from '@jest/globals';
import { compileWhere, inspectWhere } from './where.js';

const event = {
  value: '115792089237316195423570985008687907853269984665640564039457584007913129639935',
  small: 7,
  price: 1.5,
  to: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48',
  stage: 'Closed Won',
  none: null,
  flag: true,
  tags: ['a', 'b'],
  time: '2026-01-31T10:00:00Z',
};

describe('conditions', () => {
  it.each([
    [{ 'event.stage': 'Closed Won' }, true],
    [{ 'event.stage': 'closed won' }, false],
    [{ 'event.stage': { not: 'Open' } }, true],
    [{ 'event.flag': true }, true],
    [{ 'event.none': null }, true],
    [{ 'event.small': 7 }, true],
    [{ 'event.small': '7' }, true],
    [{ 'event.small': '7.0' }, true],
    [{ 'event.small': { in: [1, 7] } }, true],
    [{ 'event.small': { in: ['8', '9'] } }, false],
    [{ 'event.stage': { in: '{{event.tags}}' } }, false],
    [{ 'event.to': '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48' }, true],
    [{ 'event.to': { in: ['0x01', '0xA0B86991C6218B36C1D19D4A2E9EB0CE3606EB48'] } }, true],
    [
      { 'event.value': { gte: '115792089237316195423570985008687907853269984665640564039457584007913129639935' } },
      true,
    ],
    [{ 'event.value': { gt: '115792089237316195423570985008687907853269984665640564039457584007913129639934' } }, true],
    [
      { 'event.value': { lt: '115792089237316195423570985008687907853269984665640564039457584007913129639935' } },
      false,
    ],
    [{ 'event.value': { gte: "{{parseUnits '10000' 6}}" } }, true],
    [{ 'event.price': { gt: '1.49', lte: 1.5 } }, true],
    [{ 'event.price': { gt: 1.5 } }, false],
    [{ 'event.time': { lt: '2026-02-01T00:00:00Z' } }, true],
    [{ 'event.stage': { gt: 5 } }, false],
    [{ 'event.stage': { matches: '^Closed (Won|Lost)$' } }, true],
    [{ 'event.stage': { matches: 'Open' } }, false],
    [{ 'event.small': { matches: '^\\d$' } }, true],
    [{ 'event.stage': { exists: true }, 'event.nothing': { exists: false } }, true],
    [{ 'event.none': { exists: true } }, false],
    [{ 'event.nothing': 'x' }, false],
    [{ 'event.nothing': { not: 'x' } }, false],
    [{ 'event.toString': { exists: true } }, false],
    [{ 'event.tags.1': 'b' }, true],
    [{ 'event.stage': 'Closed Won', 'event.small': 8, 'event.flag': true }, false],
    [{}, true],
  ])('given %j, when the event is looked at, then it is %s', (where, expected) => {
    expect(compileWhere(where)({ event })).toBe(expected);
  });

  it('given a pattern that hangs other engines, when it is matched, then it ends at once', () => {
    const holds = compileWhere({ 'event.x': { matches: '^(a+)+$' } });
    const startedAt = performance.now();
    expect(holds({ event: { x: `${'a'.repeat(2_000)}!` } })).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it.each([
    [{ 'event.x': { gtee: 1 } }, 'unknown-operator'],
    [{ 'event..x': 1 }, 'bad-path'],
    [{ 'event.__proto__': 1 }, 'bad-path'],
    [{ 'event.x': {} }, 'bad-operand'],
    [{ 'event.x': [1] }, 'bad-operand'],
    [{ 'event.x': { in: 'a' } }, 'bad-operand'],
    [{ 'event.x': { exists: 'yes' } }, 'bad-operand'],
    [{ 'event.x': { matches: '(' } }, 'bad-operand'],
    [{ 'event.x': { matches: '(?=a)' } }, 'bad-operand'],
    [{ 'event.x': { matches: 'a'.repeat(1_001) } }, 'bad-operand'],
    [{ 'event.x': { gt: null } }, 'bad-operand'],
  ])('given the faulty %j, when it is inspected, then the rule %s is named', (where, rule) => {
    expect(inspectWhere(where).map((problem) => problem.rule)).toEqual([rule]);
  });
});
