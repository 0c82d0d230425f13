/** Event streams: what happens goes out in order and in batches, to webhooks, sockets, functions, queues and flows. */
export { consumerCommands, consumerMessages, streamEvent } from './consumer-messages.js';
export { streamServices } from './stream-services.js';
export { ConsumerSessions } from './consumer-sessions.js';
export type { StreamBatch, StreamTarget } from './stream.js';
export type { StreamDocument } from './stream-document.js';
export { oldEvents, type StreamShape } from './stream-format.js';
export { StreamPumps } from './stream-pumps.js';
export { StreamsController } from './streams.controller.js';
export { StreamsService, type StreamView } from './streams.service.js';
export { StreamsSocket } from './streams.socket.js';
export { WebSocketDoor } from './websocket-door.js';
export { StreamsWebSocket } from './streams-websocket.js';
