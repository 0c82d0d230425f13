import { describe, expect, it } from '@jest/globals';
import { canGrantSending, sendLimitsSchema, type SendLimits } from './send-limits.js';

const sending = ['chain:send'];

describe('handing on the right to send', () => {
  it.each<[string, SendLimits | undefined, readonly string[], SendLimits | undefined, boolean]>([
    ['no limits', undefined, sending, undefined, true],
    ['a key that may not send', { valuePerDay: '1' }, ['runs:read'], undefined, true],
    ['no limits by a limited key', { signers: ['treasury'] }, sending, undefined, false],
    ['no limits under another name', { signers: ['treasury'] }, ['admin'], undefined, false],
    ['no limits with a whole area', { signers: ['treasury'] }, ['chain:*'], undefined, false],
    ['the same signers', { signers: ['treasury', 'ops'] }, sending, { signers: ['ops'] }, true],
    ['another signer', { signers: ['treasury'] }, sending, { signers: ['treasury', 'ops'] }, false],
    ['less value', { valuePerTransaction: '100' }, sending, { valuePerTransaction: '99' }, true],
    ['more value', { valuePerTransaction: '99' }, sending, { valuePerTransaction: '100' }, false],
    ['a lower fee cap', { feeCap: '10' }, sending, { feeCap: '9', contracts: ['usdc'] }, true],
    ['no fee cap', { feeCap: '10' }, sending, {}, false],
    ['a part of the day', { valuePerDay: '100' }, sending, { valuePerDay: '1' }, false],
  ])('given %s, then it is allowed or not', (_, limits, scopes, asked, isAllowed) => {
    expect(canGrantSending({ scopes: ['keys:write'], limits }, { scopes, limits: asked })).toBe(isAllowed);
  });

  it('given a field that is not known, then it is no limit', () => {
    expect(sendLimitsSchema.safeParse({ valuePerDa: '1' }).success).toBe(false);
  });
});
