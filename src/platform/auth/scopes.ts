/** What an API key may be allowed to do. `admin` includes everything; `runs:*` everything about runs. */
export const scopes = [
  'flows:read',
  'flows:write',
  'runs:read',
  'runs:write',
  'events:read',
  'events:write',
  'connections:read',
  'connections:write',
  'contracts:write',
  'chain:read',
  'chain:send',
  'streams:read',
  'streams:write',
  'streams:consume',
  'zapier:use',
  'oracle:adapters',
  'keys:write',
  'audit:read',
  'metrics:read',
  'admin',
] as const;

export type Scope = (typeof scopes)[number];

const known: ReadonlySet<string> = new Set(scopes);
const areas: ReadonlySet<string> = new Set(
  scopes.filter((scope) => scope.includes(':')).map((scope) => `${scope.split(':')[0]}:*`),
);

/** A scope, or a whole area such as `runs:*`. */
export function isScopeText(text: string): boolean {
  return known.has(text) || areas.has(text);
}

export function hasScope(granted: readonly string[], wanted: Scope): boolean {
  if (granted.includes('admin') || granted.includes(wanted)) return true;
  return granted.includes(`${wanted.split(':')[0]}:*`);
}

/** Nobody hands on a right that they do not have. */
export function canGrant(granted: readonly string[], asked: readonly string[]): boolean {
  return asked.every(
    (text) =>
      granted.includes('admin') || granted.includes(text) || (known.has(text) && hasScope(granted, text as Scope)),
  );
}
