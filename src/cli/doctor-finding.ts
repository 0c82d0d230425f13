import { HubAnswerError } from './hub-client.js';

export interface Finding {
  readonly state: 'good' | 'warning' | 'bad';
  readonly what: string;
  readonly detail: string;
  readonly fix?: string;
}

/** What the hub could not or would not answer. */
export function trouble(error: unknown): Pick<Finding, 'state' | 'detail' | 'fix'> {
  if (!(error instanceof HubAnswerError)) throw error;
  const { code, detail, title, fix } = error.problem;
  const state = code === 'auth.forbidden' ? 'warning' : 'bad';
  return { state, detail: `${code ?? ''} ${detail ?? title ?? ''}`.trim(), ...(fix !== undefined && { fix }) };
}
