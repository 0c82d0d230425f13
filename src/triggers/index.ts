/** What flows wait for: listeners kept alive, webhooks received, clocks, and the past read again. */
export { BackfillsService, type BackfillView } from './backfills.service.js';
export { declaredTriggersOf } from './declared-triggers.js';
export { ForgottenSources } from './forgotten-sources.js';
export { hookRequestOf, type RawHook } from './hook-request.js';
export { HookReceiver, HooksController } from './hooks.controller.js';
export { ManualRunsService } from './manual-runs.service.js';
export { ReplaysService } from './replays.service.js';
export { SchedulesService } from './schedules.service.js';
export { SourcesService } from './sources.service.js';
export { SourcesStore } from './sources.store.js';
export { TriggerHostService } from './trigger-host.service.js';
export { keepTriggerGauges } from './trigger-gauges.js';
export { TriggersController } from './triggers.controller.js';
