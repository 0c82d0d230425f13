import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpClient, parseEgress } from '#platform';
import { optionsOf, say, untilStopped } from './part-process.js';

// The least that could do a webhook flow's work: receives a POST and posts on with the hub's own HTTP client. It stores
// nothing, so what it holds is lost with it.
const { target } = optionsOf<{ readonly target: string }>();
const http = createHttpClient({ egress: parseEgress(['127.0.0.1:1-65535']) });

const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    const body = JSON.parse(text) as { readonly id: string };
    const headers = { 'idempotency-key': body.id };
    http.request({ method: 'POST', url: target, headers, body }).then(
      () => response.writeHead(202).end('{}'),
      () => response.writeHead(502).end('{}'),
    );
  });
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
await untilStopped();
process.exit(0);
