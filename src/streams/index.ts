/** Event streams: what happens goes out in order and in batches, to webhooks, sockets, functions, queues and flows. */
export { CircuitBreakers, type CircuitTimes } from './circuit-breaker.js';
export { ConsumerSessions } from './consumer-sessions.js';
export { PositionsStore } from './positions.store.js';
export { keepStreamGauges } from './stream-gauges.js';
export { StreamPumps } from './stream-pumps.js';
export { openStreamSource } from './stream-sources.js';
export { StreamsController } from './streams.controller.js';
export { StreamsService } from './streams.service.js';
export { StreamsSocket } from './streams.socket.js';
export { StreamsStore } from './streams.store.js';
export { StreamsWebSocket } from './streams-websocket.js';
export { createTarget } from './targets/create-target.js';
export { consumerCommands, consumerMessages, streamEvent } from './consumer-messages.js';
