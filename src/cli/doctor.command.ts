import { trouble, type Finding } from './doctor-finding.js';
import { examineNetworks } from './doctor-networks.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import { HubAnswerError, type HubClient } from './hub-client.js';
import type { ConnectionAnswer, FlowsAnswer, PageAnswer, RunAnswer, TriggerAnswer } from './hub-answers.js';
import { counted } from './replay-text.js';
import type { Session } from './session.js';
import { sinceText } from './time-text.js';

interface Readiness {
  readonly checks?: readonly { readonly name: string; readonly isOk: boolean; readonly detail?: string }[];
}

type Examination = (hub: HubClient) => Promise<readonly Finding[]>;

/** Examines a hub from outside, one thing after another. @returns 1 when something does not work */
export async function doctorCommand(session: Session): Promise<ExitCode> {
  const hub = await session.hub();
  const findings: Finding[] = [];
  const tell = (finding: Finding): void => {
    findings.push(finding);
    if (!session.isJson) session.io.out(findingText(finding, session));
  };
  tell(await examineHub(hub));
  if (!isAnyBad(findings)) {
    for (const examine of [examineKey, examineReadiness, examineFlows, examineTriggers, examineDeadLetters]) {
      for (const finding of await examined(examine, hub)) tell(finding);
      if (examine === examineKey && isAnyBad(findings)) break;
    }
  }
  if (!isAnyBad(findings.slice(0, 2))) {
    for (const examine of [examineNetworks, examineConnections]) {
      for await (const finding of examine(hub)) tell(finding);
    }
  }
  if (session.isJson) session.io.out(JSON.stringify({ hub: hub.url, findings }, undefined, 2));
  return isAnyBad(findings) ? exitCodes.failed : exitCodes.done;
}

function isAnyBad(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.state === 'bad');
}

/** What cannot be asked is a finding too, and ends nothing. */
async function examined(examine: Examination, hub: HubClient): Promise<readonly Finding[]> {
  try {
    return await examine(hub);
  } catch (error) {
    return [{ what: examine.name.replace(/^examine/, '').toLowerCase(), ...trouble(error) }];
  }
}

async function examineHub(hub: HubClient): Promise<Finding> {
  try {
    await hub.get('/health/live');
    return { state: 'good', what: 'hub', detail: hub.url };
  } catch (error) {
    return { what: 'hub', ...trouble(error) };
  }
}

async function examineKey(hub: HubClient): Promise<Finding[]> {
  if (hub.key === undefined) {
    return [{ state: 'bad', what: 'key', detail: 'No API key is given.', fix: 'Set PATCHBAY_KEY.' }];
  }
  try {
    await hub.get('/api/flows');
    return [{ state: 'good', what: 'key', detail: 'works' }];
  } catch (error) {
    return [
      {
        fix: 'Set PATCHBAY_KEY to a key that works; the admin can make one: npx patchbay key create',
        ...trouble(error),
        what: 'key',
      },
    ];
  }
}

async function examineReadiness(hub: HubClient): Promise<Finding[]> {
  const { checks = [] } = await hub.get<Readiness>('/health/ready').catch((error: unknown) => {
    // Not ready is an answer too, with status 503.
    if (error instanceof HubAnswerError && 'checks' in error.problem) return error.problem as Readiness;
    throw error;
  });
  return checks.map(({ name, isOk, detail }) => ({
    state: isOk ? 'good' : 'bad',
    what: name,
    detail: detail ?? (isOk ? 'works' : 'does not work'),
  }));
}

async function examineFlows(hub: HubClient): Promise<Finding[]> {
  const { flows, broken } = await hub.get<FlowsAnswer>('/api/flows');
  const old = flows.filter((flow) => flow.faults.length > 0);
  const paused = flows.filter((flow) => flow.state === 'paused');
  const running = flows.filter((flow) => flow.state === 'running');
  return [
    {
      state: flows.length > 0 ? 'good' : 'warning',
      what: 'flows',
      detail: `${running.length} of ${flows.length} running`,
    },
    ...paused.map(({ name }): Finding => ({
      state: 'warning',
      what: 'flow',
      detail: `${name} is paused`,
      fix: `npx patchbay flow resume ${name}`,
    })),
    ...old.map(({ name, file, faults }): Finding => ({
      state: 'warning',
      what: 'flow',
      detail: `${name} runs its last good version: ${file} has ${counted(faults.length, 'fault')}`,
      fix: 'npx patchbay lint',
    })),
    ...broken.map(({ file, faults }): Finding => ({
      state: 'bad',
      what: 'flow',
      detail: `${file} does not run: ${counted(faults.length, 'fault')}, first ${faults[0]?.detail ?? ''}`,
      fix: 'npx patchbay lint',
    })),
  ];
}

async function examineTriggers(hub: HubClient): Promise<Finding[]> {
  const { triggers } = await hub.get<{ triggers: readonly TriggerAnswer[] }>('/api/triggers');
  return triggers.map(({ uses, connection, error, heardAt, cursor, incidents: [newest] = [] }): Finding => {
    const name = connection === null ? uses : `${uses} over ${connection}`;
    const heard = heardAt === null ? 'has heard nothing yet' : `last moved ${sinceText(heardAt, Date.now())}`;
    const place = cursor === null ? '' : `, at ${cursor}`;
    const missed =
      newest === undefined
        ? ''
        : `; something was missed ${sinceText(newest.at, Date.now())}: ${newest.emitted} of ${newest.found} changes were made up for`;
    if (error === null) return { state: 'good', what: 'trigger', detail: `${name} ${heard}${place}${missed}` };
    return {
      state: 'warning',
      what: 'trigger',
      detail: `${name} ${heard}${place}; it failed with ${error.code ?? ''} ${error.message ?? ''} and is started again`,
      ...(connection !== null && { fix: `npx patchbay connection test ${connection}` }),
    };
  });
}

async function examineDeadLetters(hub: HubClient): Promise<Finding[]> {
  const { items, next } = await hub.get<PageAnswer<RunAnswer>>('/api/dead-letters?limit=500');
  if (items.length === 0) return [{ state: 'good', what: 'dead letters', detail: 'none' }];
  const byFlow = new Map<string, number>();
  for (const { flow } of items) byFlow.set(flow, (byFlow.get(flow) ?? 0) + 1);
  const detail = [...byFlow].map(([flow, count]) => `${flow} ${count}`).join(', ');
  return [
    {
      state: 'warning',
      what: 'dead letters',
      detail: next === undefined ? detail : `more than ${items.length}: ${detail}`,
      fix: 'npx patchbay dead-letters',
    },
  ];
}

async function* examineConnections(hub: HubClient): AsyncGenerator<Finding> {
  let connections: readonly ConnectionAnswer[];
  try {
    ({ connections } = await hub.get<{ connections: readonly ConnectionAnswer[] }>('/api/connections'));
  } catch (error) {
    yield { what: 'connections', ...trouble(error) };
    return;
  }
  for (const { name, connector } of connections) {
    try {
      await hub.post(`/api/connections/${encodeURIComponent(name)}/test`);
      yield { state: 'good', what: 'connection', detail: `${name} (${connector}) works` };
    } catch (error) {
      const { detail, ...rest } = trouble(error);
      yield { what: 'connection', detail: `${name} (${connector}): ${detail}`, ...rest };
    }
  }
}

function findingText({ state, what, detail, fix }: Finding, { paint }: Session): string {
  const sign = { good: paint('green', '✓'), warning: paint('yellow', '!'), bad: paint('red', '✗') }[state];
  return `${sign} ${what.padEnd(12)} ${detail}${fix === undefined || state === 'good' ? '' : `\n  ${' '.repeat(12)} Fix: ${fix}`}`;
}
