/** Events become runs, runs are executed step by step, and what is done is written down. */
export { ActionCaller } from './action-caller.js';
export { DeadLettersController } from './dead-letters.controller.js';
export { EventsController } from './events.controller.js';
export { IntakeService, type Accepted, type Intake } from './intake.service.js';
export { IntakeStore } from './intake.store.js';
export { RetentionService } from './retention.service.js';
export { ReversalsStore } from './reversals.store.js';
export { keepRunGauges } from './run-gauges.js';
export { RunExecutor } from './run.executor.js';
export { RunQueue, runQueueName, type RunJob } from './run-queue.js';
export { RunsController } from './runs.controller.js';
export { RunsLive, runProgress } from './runs-live.js';
export { RunsQueries, type EventView } from './runs.queries.js';
export { replayAnswer } from './runs.schema.js';
export { RunsService, type ReplayReport } from './runs.service.js';
export { RunsSocket } from './runs.socket.js';
export { RunsStore } from './runs.store.js';
export { SweeperService } from './sweeper.service.js';
