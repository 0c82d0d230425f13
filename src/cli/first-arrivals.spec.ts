import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { tellFirstArrivals } from './first-arrivals.js';

describe('what the quick start tells of the first transfer', () => {
  it('given an object that is described before a record is written, when it is told, then it is the record', async () => {
    const at = new Date().toISOString();
    const one = (method: string, url: string, body: string) => ({ at, method, url, body, status: 200 });
    const received = [
      one('GET', '/salesforce/services/data/v62.0/sobjects/Contact/describe', ''),
      one('PATCH', '/salesforce/services/data/v62.0/sobjects/Contact/Wallet__c/0xaa', '{"Last_Transfer__c":"25000"}'),
      one('POST', '/ifttt/trigger/large_transfer/with/key/secret', '{}'),
      one('POST', '/zapier/hooks/catch/1001/treasury/', '{}'),
    ];
    const sandbox = createServer((_request, response) => response.end(JSON.stringify(received))).listen(0, '127.0.0.1');
    await once(sandbox, 'listening');
    const told: string[] = [];
    try {
      const { port } = sandbox.address() as AddressInfo;
      const sandboxUrl = `http://127.0.0.1:${port}`;
      await tellFirstArrivals({ sandboxUrl, since: new Date(0), out: (text) => void told.push(text) });
    } finally {
      sandbox.close();
      sandbox.closeAllConnections();
    }

    expect(told.join('\n')).toContain('PATCH /salesforce/services/data/v62.0/sobjects/Contact/Wallet__c/0xaa');
    expect(told.join('\n')).not.toContain('describe');
  });
});
