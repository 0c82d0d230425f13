import { UsageError } from './failure.js';
import type { AuditAnswer, KeyAnswer } from './hub-answers.js';
import { queryOf } from './runs.command.js';
import type { Session } from './session.js';
import { sinceText } from './time-text.js';

export interface NewKeyOptions {
  readonly scope: readonly string[];
  readonly expires?: string;
  /** Each `name=value`. */
  readonly limit?: readonly string[];
}

export async function listKeys(session: Session): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<{ keys: readonly KeyAnswer[] }>('/api/keys');
  const now = Date.now();
  session.show(answer, () =>
    session.table(
      [
        { title: 'key', text: (key: KeyAnswer) => key.id },
        { title: 'name', text: (key) => key.name, canShrink: true },
        { title: 'scopes', text: (key) => key.scopes.join(' '), canShrink: true },
        {
          title: 'limits',
          text: ({ limits }) => (limits === undefined ? '' : JSON.stringify(limits)),
          canShrink: true,
          drop: 3,
        },
        { title: 'used', text: (key) => (key.lastUsedAt === null ? 'never' : sinceText(key.lastUsedAt, now)), drop: 1 },
        {
          title: 'expires',
          text: (key) => (key.expiresAt === null ? 'never' : sinceText(key.expiresAt, now)),
          drop: 2,
        },
      ],
      answer.keys,
    ),
  );
}

export async function createKey(name: string, options: NewKeyOptions, session: Session): Promise<void> {
  const expiresAt = options.expires === undefined ? undefined : expiryOf(options.expires, Date.now());
  const limits = options.limit && Object.fromEntries(options.limit.map(limitOf));
  const hub = await session.hub();
  const key = await hub.post<KeyAnswer>('/api/keys', {
    name,
    scopes: options.scope,
    ...(limits && { limits }),
    ...(expiresAt !== undefined && { expiresAt }),
  });
  session.show(key, () => key.key ?? '');
  session.note(`The key ${key.name} (${key.id}) is shown this once: keep it.`);
}

export async function revokeKey(id: string, session: Session): Promise<void> {
  await session.confirm(`The key ${id} will stop working at once.`);
  const hub = await session.hub();
  await hub.delete(`/api/keys/${encodeURIComponent(id)}`);
  session.show({ revoked: id }, () => `The key ${id} is revoked.`);
}

export async function listAudit(
  filter: { readonly limit?: string; readonly before?: string },
  session: Session,
): Promise<void> {
  const hub = await session.hub();
  const answer = await hub.get<{ entries: readonly AuditAnswer[] }>(`/api/audit?${queryOf(filter)}`);
  session.show(answer, () =>
    session.table(
      [
        { title: 'seq', text: (entry: AuditAnswer) => entry.seq, isNumber: true, drop: 2 },
        { title: 'at', text: (entry) => entry.at },
        { title: 'who', text: (entry) => entry.actor },
        { title: 'what', text: (entry) => entry.action },
        { title: 'to', text: (entry) => entry.subject ?? '', canShrink: true },
        {
          title: 'detail',
          text: ({ detail }) => (detail === undefined ? '' : JSON.stringify(detail)),
          canShrink: true,
          drop: 1,
        },
      ],
      answer.entries,
    ),
  );
}

/** A date or time, or a span from now such as `30d`. */
function expiryOf(text: string, now: number): string {
  const span = /^(\d+)(h|d)$/.exec(text);
  if (span) return new Date(now + Number(span[1]) * (span[2] === 'h' ? 3_600_000 : 86_400_000)).toISOString();
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  throw new UsageError(`--expires ${text} is no time.`, 'Write 2027-01-31 or a span such as 30d.');
}

const listLimits = ['signers', 'contracts', 'functions'];

/** The hub judges the names and values. */
function limitOf(text: string): [string, unknown] {
  const [, name, value] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UsageError(`--limit ${text} has no value.`, 'Write --limit valuePerDay=1000 or --limit signers=a,b.');
  }
  if (listLimits.includes(name)) return [name, splitOutside(value)];
  return [name, name === 'transactionsPerDay' ? Number(value) : value];
}

/** At commas that are not within the parentheses of a signature. */
function splitOutside(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const [index, character] of [...text].entries()) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character !== ',' || depth > 0) continue;
    parts.push(text.slice(start, index));
    start = index + 1;
  }
  return [...parts, text.slice(start)];
}
