import type { Session } from './session.js';

interface IftttAnswer {
  readonly isConfigured: boolean;
  readonly mode: string;
  readonly identities: number;
  readonly watched: number;
  readonly untold: number;
  readonly failing: number;
}

export async function showIfttt(session: Session): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<IftttAnswer>('/api/ifttt');
  session.show(answer, () => {
    if (!answer.isConfigured)
      return 'This hub is no service of IFTTT. Give a connection of the connector ifttt a serviceKey.';
    const { mode, identities, watched, untold, failing } = answer;
    return [
      `Sign-in    ${mode === 'key' ? 'the service key' : 'OAuth2, with API keys of the hub'}`,
      `Polled     ${identities} ${identities === 1 ? 'trigger' : 'triggers'}, ${watched} of them watched for by the hub`,
      `Untold     ${untold} with news that IFTTT was not told of yet`,
      `Failing    ${failing} that cannot be watched for now`,
    ].join('\n');
  });
}

export async function printSheet(session: Session): Promise<void> {
  const hub = await session.hub();
  const sheet = await hub.text('/api/ifttt/sheet');
  session.show({ sheet }, () => sheet.trimEnd());
}
