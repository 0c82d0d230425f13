import type { FlowAnswer, FlowsAnswer } from './hub-answers.js';
import type { Paint } from './paint.js';
import { counted } from './replay-text.js';
import type { Session } from './session.js';

export async function listFlows(session: Session): Promise<void> {
  const { paint } = session;
  const hub = await session.hub();
  const answer = await hub.get<FlowsAnswer>('/api/flows');
  session.show(answer, () => {
    if (answer.flows.length === 0) return 'No flows. Make one: npx patchbay new flow <name>';
    return session.table(
      [
        { title: 'flow', text: (flow: FlowAnswer) => flow.name },
        { title: 'state', text: (flow) => stateText(flow, paint) },
        { title: 'trigger', text: (flow) => flow.trigger, drop: 1 },
        { title: 'steps', text: (flow) => flow.steps.join(' → '), canShrink: true, drop: 2 },
        { title: 'version', text: (flow) => flow.version.slice(0, 8), drop: 3 },
      ],
      answer.flows,
    );
  });
  for (const { file, faults } of answer.broken) {
    session.note(`${file} has ${counted(faults.length, 'fault')} and does not run; see npx patchbay lint`);
  }
}

export async function showFlow(name: string, session: Session): Promise<void> {
  const hub = await session.hub();
  const flow = await hub.get<FlowAnswer>(`/api/flows/${encodeURIComponent(name)}`);
  session.show(flow, () =>
    [
      `${session.paint('bold', flow.name)}  ${stateText(flow, session.paint)}`,
      ...(flow.description === undefined ? [] : [flow.description]),
      session.paint('dim', `${flow.file}, version ${flow.version}`),
      ...[...flow.faults, ...flow.warnings].map(
        (fault) => `${flow.file}:${fault.line ?? 1}:${fault.column ?? 1}  ${fault.rule ?? ''}  ${fault.detail}`,
      ),
      '',
      (flow.document ?? '').trimEnd(),
    ].join('\n'),
  );
}

export async function setFlowPaused(name: string, isPaused: boolean, session: Session): Promise<void> {
  const hub = await session.hub();
  const flow = await hub.post<FlowAnswer>(`/api/flows/${encodeURIComponent(name)}/${isPaused ? 'pause' : 'resume'}`);
  session.show(flow, () =>
    isPaused
      ? `${flow.name} is paused: no new run starts, runs that began go on.`
      : `${flow.name} is ${flow.state}${flow.state === 'disabled' ? ': its file says enabled: false' : ''}.`,
  );
}

function stateText(flow: FlowAnswer, paint: Paint): string {
  const sign = { running: paint('green', '✓'), paused: paint('yellow', '‖'), disabled: paint('dim', '-') }[flow.state];
  return `${sign} ${flow.state}${flow.faults.length === 0 ? '' : paint('yellow', `, ${counted(flow.faults.length, 'fault')} in its file`)}`;
}
