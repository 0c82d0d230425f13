import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onEndOfLife } from './end-of-life.js';
import { Sinks } from './sink.js';

// The sink alone in a process of its own, for measurements: `node dist/sandbox/sink-server.js [port]`. It prints one line
// of JSON with its address and ends when its parent does.
const sinks = new Sinks();
const server = createServer((request, response) => sinks.handle(request, response));
server.keepAliveTimeout = 65_000;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://127.0.0.1:${port}` })}\n`);
});

onEndOfLife(() => process.exit(0));
