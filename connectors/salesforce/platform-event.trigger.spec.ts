import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/builders/eventually.js';
import { startListening } from '../../test/builders/listening.js';
import { startSalesforce, type SalesforceOrg } from '../../test/builders/salesforce-org.js';
import { platformEvent } from './platform-event.trigger.js';
import type { SalesforceClient } from './salesforce.client.js';

describe('salesforce.platformEvent', () => {
  let salesforce: SalesforceOrg;
  let client: SalesforceClient;

  beforeEach(async () => {
    salesforce = await startSalesforce({ channels: { Settlements__chn: ['Settled__e'] } });
    client = salesforce.client({ stream: { graceMs: 200, firstPauseMs: 10, longestPauseMs: 50 } });
  });
  afterEach(() => salesforce.stop());

  const isListening = () =>
    salesforce.org.state().streamingClients.some((seat) => seat.isPolling && seat.channels.length > 0);
  const listen = (event = 'Settled__e', cursor?: string) =>
    startListening(platformEvent, { client, with: { event }, cursor });

  it.each(['Settled__e', 'Settlements__chn'])(
    'given %s, when events are published, also while the trigger is away, then each is heard once under its uuid',
    async (name) => {
      const before = listen(name);
      await eventually(isListening);
      salesforce.org.publish('Settled__e', { Hash__c: '0x1' });
      await eventually(() => before.heard.length === 1);
      await before.stop();
      salesforce.org.publish('Settled__e', { Hash__c: '0x2' });

      const after = listen(name, before.cursor);

      await eventually(() => after.heard.length === 1);
      expect(after.heard[0]).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        time: expect.any(String),
        event: {
          fields: { Hash__c: '0x2' },
          replayId: expect.any(Number),
          uuid: expect.any(String),
          createdDate: expect.any(String),
          createdById: expect.any(String),
        },
      });
      await after.stop();
    },
  );
});
