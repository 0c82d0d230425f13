import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { say, untilStopped } from './part-process.js';

// The least that could be an external adapter: says what it was given. It stores nothing and knows no flows.
const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    const { id, data } = JSON.parse(text) as { readonly id: string; readonly data: { readonly value: string } };
    const body = { jobRunID: id, data: { result: data.value }, result: data.value, statusCode: 200 };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
});
server.keepAliveTimeout = 65_000;
server.listen(0, '127.0.0.1', () => say({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
await untilStopped();
process.exit(0);
