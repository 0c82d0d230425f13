import type { BayeuxMessage } from './bayeux.client.js';

/** What a refused streaming message means for the one who sent it. */
export interface StreamProblem {
  /**
   * `session`: log in again. `client`: shake hands again. `replay`: the place is no longer kept. `limit`: stay away for
   * minutes. `refused`: this channel will not work until somebody changes something.
   */
  readonly kind: 'session' | 'client' | 'replay' | 'limit' | 'refused';
  readonly text: string;
}

/** Reads the error of a message; undefined when it succeeded. */
export function problemOf({ channel, successful, error, advice, ext }: BayeuxMessage): StreamProblem | undefined {
  // When a server is too busy, `error` shows another text; the reason below `ext` is the true one.
  const text = ext?.sfdc?.failureReason ?? error ?? '';
  if (successful !== false && text === '') {
    if (advice?.reconnect === undefined || advice.reconnect === 'retry') return undefined;
    return { kind: 'client', text: `advice ${advice.reconnect} on ${channel}` };
  }
  const kindOf = (): StreamProblem['kind'] => {
    if (text.startsWith('401')) return 'session';
    if (/limit exceeded|we limit the number|too busy|^503/i.test(text)) return 'limit';
    if (/does not match the session's user id/i.test(text)) return 'client';
    if (channel !== '/meta/subscribe') return 'client';
    if (/^400::The replayId \{/i.test(text)) return 'replay';
    return /unknown client|has established a session/i.test(text) ? 'client' : 'refused';
  };
  return { kind: kindOf(), text: text === '' ? `refused on ${channel}` : text };
}
