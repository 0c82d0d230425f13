import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { isWebhookSignedBy, parseSigningSecret, signWebhook } from './webhook-signature.js';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const key = parseSigningSecret(secret) as Buffer;
const now = Math.floor(Date.now() / 1_000);

describe('signatures of Standard Webhooks', () => {
  it('given any id and body, when we sign, then the reference library accepts it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w:-]{1,60}$/), fc.string({ unit: 'grapheme' }), (id, body) => {
        const timestamp = now.toString();
        const headers = {
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': signWebhook({ id, timestamp, body }, [key]),
        };
        new Webhook(secret).verify(body, headers, { jsonParse: false });
      }),
      { numRuns: 50 },
    );
  });

  it('given any id and body, when the reference library signs, then we accept it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w:-]{1,60}$/), fc.string({ unit: 'grapheme' }), (id, body) => {
        const header = new Webhook(secret).sign(id, new Date(now * 1_000), body);
        expect(isWebhookSignedBy({ id, timestamp: now.toString(), body: Buffer.from(body) }, header, [key])).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('given two keys, when we sign, then a receiver that knows only one of them accepts it', () => {
    const other = Buffer.alloc(32, 1);
    const message = { id: 'a', timestamp: '1', body: 'x' };
    const header = signWebhook(message, [other, key]);

    expect(isWebhookSignedBy(message, header, [key])).toBe(true);
    expect(isWebhookSignedBy(message, header, [other])).toBe(true);
    expect(isWebhookSignedBy(message, header, [Buffer.alloc(32, 2)])).toBe(false);
  });

  it.each(['', 'v1', 'v1,', 'v1a,AAAA', 'v2,AAAA', 'v1,AAAA', 'nonsense'])(
    'given the header "%s", when it is checked, then it is refused',
    (header) => {
      expect(isWebhookSignedBy({ id: 'a', timestamp: '1', body: 'x' }, header, [key])).toBe(false);
    },
  );

  it.each(['', 'secret', 'whsec_', 'whsec_c2hvcnQ=', `whsec_${Buffer.alloc(65).toString('base64')}`, 'whsec_%%%'])(
    'given the secret "%s", when it is read, then it is refused',
    (text) => {
      expect(parseSigningSecret(text)).toBeUndefined();
    },
  );
});
