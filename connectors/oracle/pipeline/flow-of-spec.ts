import type { Fault } from '#sdk';
import { cronOf } from './cron-of-schedule.js';
import type { Task } from './graph.js';
import type { JobSpec } from './spec.js';
import { onlyVariable } from './variable.js';
import { block, quoted } from './yaml-text.js';

export interface FlowOptions {
  /** Of the flow. */
  readonly name: string;
  /** As faults and the description name it. */
  readonly file: string;
  /** Of the connector `oracle`; undefined: the default one. */
  readonly connection: string | undefined;
  /** The job, where the spec does not name it. */
  readonly job: string | undefined;
  /**
   * Where tasks may go whose address comes with a request, when the spec lets them go anywhere. `public`: to public addresses
   * only. `allowed`: also where the operator of the hub allows. Undefined: nobody has decided.
   */
  readonly chainUrls: 'public' | 'allowed' | undefined;
}

export type FlowOfSpec = { readonly text: string } | { readonly faults: readonly Fault[] };

/** A flow that does what the spec says, with the observationSource as it is. */
export function flowOfSpec(spec: JobSpec, options: FlowOptions): FlowOfSpec {
  const faults = faultsOf(spec, options);
  const trigger = triggerOf(spec, options);
  if ('fault' in trigger) faults.push({ ...trigger.fault, file: options.file });
  if ('fault' in trigger || faults.length > 0) return { faults };
  const text = `# yaml-language-server: $schema=../docs/flow.schema.json
name: ${options.name}
description: ${quoted(descriptionOf(spec, options))}

trigger:
${trigger.lines.map((line) => `  ${line}\n`).join('')}
steps:
  - id: run
    uses: oracle.pipeline
${connectionLine(options, 4)}    with:
${[...jobLines(spec), ...inputLines(spec)].map((line) => `      ${line}\n`).join('')}      source: ${block(sourceOf(spec, options), 6)}
`;
  return { text };
}

export function descriptionOf({ name, type }: JobSpec, { file }: FlowOptions): string {
  return `${name ?? 'A job'}: the ${type} job of ${file}.`;
}

export function connectionLine({ connection }: FlowOptions, indent: number): string {
  return connection === undefined ? '' : `${' '.repeat(indent)}connection: ${connection}\n`;
}

type Trigger = { readonly lines: readonly string[] } | { readonly fault: Fault };

export function triggerOf(spec: JobSpec, options: FlowOptions): Trigger {
  switch (spec.type) {
    case 'directrequest':
      return requestTrigger(spec, options);
    case 'cron':
      return cronTrigger(spec);
    case 'webhook':
      return { lines: ['uses: webhook.received'] };
  }
}

function requestTrigger(spec: JobSpec, { connection, job }: FlowOptions): Trigger {
  const id = spec.externalJobID ?? job;
  if (id === undefined) {
    return {
      fault: {
        pointer: '#',
        rule: 'missing-key',
        detail: 'The spec has no externalJobID, so that a node has made one up when it was created.',
        fix: 'Look it up on the node and give it with --job, or write it into the spec.',
        line: 1,
        column: 1,
      },
    };
  }
  const { minContractPaymentLinkJuels: payment, requesters = [], minIncomingConfirmations: confirmations } = spec;
  return {
    lines: [
      'uses: oracle.request',
      ...(connection === undefined ? [] : [`connection: ${connection}`]),
      'with:',
      `  job: ${id}`,
      ...(payment === undefined ? [] : [`  minPayment: ${quoted(payment)}`]),
      ...(requesters.length === 0 ? [] : ['  requesters:', ...requesters.map((one) => `    - ${quoted(one)}`)]),
      ...(confirmations === undefined ? [] : [`  confirmations: ${String(confirmations)}`]),
    ],
  };
}

function cronTrigger({ schedule = '' }: JobSpec): Trigger {
  const times = cronOf(schedule);
  if (times) {
    return {
      lines: ['uses: schedule.cron', 'with:', `  cron: ${quoted(times.cron)}`, `  timezone: ${quoted(times.timezone)}`],
    };
  }
  return {
    fault: {
      pointer: '#',
      rule: 'schedule',
      detail: `No cron expression has the times of ${schedule}.`,
      fix: 'Use an interval that divides a minute, an hour or a day, or a cron expression.',
      line: 1,
      column: 1,
    },
  };
}

function jobLines(spec: JobSpec): readonly string[] {
  const { externalJobID, name, evmChainID, gasLimit, maxTaskDurationMs } = spec;
  const lines = [
    ...(externalJobID === undefined ? [] : [`  externalJobID: ${externalJobID}`]),
    ...(name === undefined ? [] : [`  name: ${quoted(name)}`]),
    ...(evmChainID === undefined ? [] : [`  evmChainID: ${quoted(evmChainID)}`]),
    ...(gasLimit === undefined ? [] : [`  gasLimit: ${quoted(gasLimit)}`]),
    ...(maxTaskDurationMs === undefined ? [] : [`  maxTaskDuration: ${String(maxTaskDurationMs)}ms`]),
  ];
  return lines.length === 0 ? [] : ['job:', ...lines];
}

function inputLines({ type }: JobSpec): readonly string[] {
  if (type === 'directrequest') return ["request: '{{event.request}}'"];
  return type === 'webhook' ? ["requestBody: '{{event.body}}'"] : [];
}

/** Whatever it says but no. */
const openAccess =
  /\ballowUnrestrictedNetworkAccess\s*=\s*(?!["<]?\s*(?:false|f|0)\b)(?:"[^"]*"|<[^<>]*>|[\w.-]+)\s*[,;]?/gi;

/** Of an address that the job itself spells out nothing changes: those may go where the operator allows in any case. */
function sourceOf({ observationSource }: JobSpec, { chainUrls }: FlowOptions): string {
  return chainUrls === 'public' ? observationSource.replaceAll(openAccess, '') : observationSource;
}

function faultsOf(spec: JobSpec, { chainUrls, file }: FlowOptions): Fault[] {
  const faults: Fault[] = [];
  if (spec.observationSource.includes('{{')) {
    faults.push({
      pointer: '#',
      rule: 'template',
      detail: 'The observationSource has {{ in it, which is a template in a flow.',
      fix: 'Put a blank between the two braces.',
      file,
      line: 1,
      column: 1,
    });
  }
  if (chainUrls !== undefined) return faults;
  for (const task of spec.graph.tasks.filter(isOpenToRequests)) {
    const { place } = task.attributes.get('allowunrestrictednetworkaccess')!;
    faults.push({
      pointer: `#/${task.id}`,
      rule: 'open-address',
      detail: `The task ${task.id} goes to any address that a request names, also inside your network.`,
      fix: 'Import with --chain-urls public to let it go to public addresses only, or with --chain-urls allowed to let it also go where PATCHBAY_EGRESS_ALLOW allows.',
      file,
      ...place,
    });
  }
  return faults;
}

function isOpenToRequests(task: Task): boolean {
  return task.type === 'http' && accessOf(task) === 'open' && isUrlOfRequest(task);
}

/** Whether a task may go to more than public addresses, as far as it says so itself. */
export function accessOf({ attributes }: Task): 'open' | 'public' | undefined {
  const written = attributes.get('allowunrestrictednetworkaccess')?.value.trim();
  if (written === undefined) return undefined;
  return /^(false|f|0)$/i.test(written) ? 'public' : 'open';
}

export function isUrlOfRequest({ attributes }: Task): boolean {
  return onlyVariable(attributes.get('url')?.value ?? '') !== undefined;
}
