/** Event streams: what happens goes out in order and in batches, to webhooks, sockets, functions, queues and flows. */
export { consumerCommands, consumerMessages, streamEvent } from './consumer-messages.js';
export { streamServices } from './stream-services.js';
export { StreamsController } from './streams.controller.js';
export { StreamsSocket } from './streams.socket.js';
export { StreamsWebSocket } from './streams-websocket.js';
