import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { listen } from './server.js';
import { Sinks, type SinkReport } from './sink.js';

describe('the sink', () => {
  let server: Server;
  let url: string;

  beforeEach(async () => {
    const sinks = new Sinks();
    server = createServer((request, response) => sinks.handle(request, response));
    url = `http://127.0.0.1:${await listen(server, 0)}/sink/test`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const deliver = async (key: string | undefined, body: unknown) => {
    const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) };
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  const report = async () => (await (await fetch(url)).json()) as SinkReport;

  it('given one delivery that is repeated under its key, when it reports, then that is no second effect', async () => {
    expect(await deliver('run-1:send', { id: 'order-1' })).toEqual({ status: 'taken' });
    expect(await deliver('run-1:send', { id: 'order-1' })).toEqual({ status: 'repeated' });

    expect(await report()).toMatchObject({ received: 2, distinct: 1, repeated: 1, distinctIds: 1, doubledEffects: 0 });
  });

  it('given the same thing under two keys, when it reports, then the effect is doubled', async () => {
    await deliver('run-1:send', { id: 'order-1' });
    await deliver('run-2:send', { id: 'order-1' });

    expect(await report()).toMatchObject({ received: 2, distinct: 2, distinctIds: 1, doubledEffects: 1 });
  });

  it('given no keys, when the same id comes twice, then the effect is doubled', async () => {
    await deliver(undefined, { id: 7 });
    await deliver(undefined, { id: 7 });

    expect(await report()).toMatchObject({ distinct: 2, doubledEffects: 1 });
  });

  it('given two ordering keys, when one of them comes out of order, then only it is reported', async () => {
    await deliver('a', { key: 'x', seq: 1 });
    await deliver('b', { key: 'y', seq: 2 });
    await deliver('c', { key: 'y', seq: 1 });
    await deliver('d', { key: 'x', seq: 2 });
    await deliver('a', { key: 'x', seq: 1 });

    expect(await report()).toMatchObject({ orderViolations: 1, violationsByKey: { y: 1 } });
  });

  it('given deliveries, when it is told to start anew, then all is zero', async () => {
    await deliver('a', {});
    await fetch(url, { method: 'DELETE' });

    expect(await report()).toMatchObject({ received: 0, distinct: 0 });
  });
});
