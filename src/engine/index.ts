/** The engine: flows as data, and how far a run gets. It knows no framework, no queue and no clock. */
export type {
  Acceptance,
  Advance,
  Call,
  CompiledFlow,
  Flow,
  FlowTrigger,
  JournalEntry,
  LoadedFlow,
  RetryPolicy,
  RunIdentity,
  RunOutcome,
  Step,
  StepError,
  Where,
} from './flow.js';
export { usesOf, type FlowUse } from './flow.uses.js';
export { loadFlow, type LoadOptions } from './flow.loader.js';
export { compileFlow, type CompileOptions } from './run.js';
export { describeIssues, findUnknownFields } from './schema-faults.js';
export { runToEnd } from './run-to-end.js';
export { templateHelpers, type TemplateHelper } from './template.helpers.js';
export { findUnknownConditions, type UnknownCondition } from './unknown-conditions.js';
export type { Vocabulary } from './vocabulary.js';
export { compileWhere, inspectWhere, type WhereProblem } from './where.js';
export { parseYaml } from './yaml-document.js';
export {
  loadFlowTests,
  runFlowTests,
  type FlowTestInput,
  type FlowTestReport,
  type FlowTestResult,
} from './flow-test.js';
export { flowJsonSchema } from './flow.json-schema.js';
