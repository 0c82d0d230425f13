// Shows the batches of an event stream as they come, and accepts each: node docs/examples/watch-stream.mjs <stream> <key>
import { io } from 'socket.io-client';

const [stream, key, hub = 'http://127.0.0.1:3000'] = process.argv.slice(2);
const socket = io(`${hub}/streams`, { auth: { key }, transports: ['websocket'] });

// A connection that was lost begins anew: what was not accepted by then comes again.
socket.on('connect', () => socket.emit('listen', { stream }));
socket.on('batch', ({ batch, events }, accept) => {
  for (const { type, data } of events) console.log(`batch ${batch}`, type, data.name, JSON.stringify(data.args));
  accept();
});
for (const trouble of ['connect_error', 'error', 'ended']) {
  socket.on(trouble, ({ code = '', message, fix = '' }) => console.error(trouble, code, message, fix));
}
