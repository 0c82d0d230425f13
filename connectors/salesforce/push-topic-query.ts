import { createHash } from 'node:crypto';

export interface TopicQuery {
  readonly object: string;
  readonly fields: readonly string[];
  readonly where: string | undefined;
}

export type TopicOperation = 'create' | 'update' | 'delete' | 'undelete';
export type NotifyForFields = 'All' | 'Referenced' | 'Select' | 'Where';

export interface TopicSettings {
  readonly query: string;
  readonly operations: readonly TopicOperation[];
  readonly notifyForFields: NotifyForFields;
}

const longestQuery = 1_300;
const refusals: readonly (readonly [RegExp, string])[] = [
  [
    /\b(COUNT|SUM|AVG|MIN|MAX|COUNT_DISTINCT)\s*\(|\bGROUP\s+BY\b/i,
    'cannot aggregate: select the fields of the rows themselves',
  ],
  [/\(\s*SELECT\b/i, 'cannot hold another SELECT'],
  [/\bORDER\s+BY\b/i, 'cannot have ORDER BY: events come in the order of the changes'],
  [/\bLIMIT\b/i, 'cannot have LIMIT'],
  [/\bOFFSET\b/i, 'cannot have OFFSET'],
  [/\bTYPEOF\b/i, 'cannot have TYPEOF'],
  [/\bNOT\b(?!\s+IN\b)/i, 'cannot use NOT: write != or NOT IN'],
  [/\w\.\w/, 'cannot reach into other objects: AccountId will do, Account.Name will not'],
];

/** What Salesforce would refuse about a push topic, said before it is asked. Empty: nothing. */
export function faultsOfTopic({ query, notifyForFields }: Pick<TopicSettings, 'query' | 'notifyForFields'>): string[] {
  if (query.length > longestQuery) return [`is ${query.length} characters long; a push topic takes ${longestQuery}`];
  const words = withoutQuoted(query);
  const faults = refusals.filter(([pattern]) => pattern.test(words)).map(([, text]) => text);
  if (faults.length > 0) return faults;
  const parsed = parseTopicQuery(query);
  if (parsed === undefined) return ['must read SELECT Id, … FROM an object, and may go on with WHERE'];
  const selected = parsed.fields.filter((name) => name.toLowerCase() !== 'id');
  if (selected.length === parsed.fields.length) faults.push('must select Id');
  const hasWhere = parsed.where !== undefined;
  if (notifyForFields === 'Select' && selected.length === 0)
    faults.push('must select a field besides Id, for notifyForFields: Select');
  if (notifyForFields === 'Where' && !hasWhere) faults.push('must have WHERE, for notifyForFields: Where');
  if (notifyForFields === 'Referenced' && selected.length === 0 && !hasWhere) {
    faults.push('must select a field besides Id or have WHERE, or notifyForFields be All');
  }
  return faults;
}

/** Object, fields and condition of a query as push topics allow it; undefined when it is none. */
export function parseTopicQuery(query: string): TopicQuery | undefined {
  const words = withoutQuoted(query);
  const match = /^\s*SELECT\s+([\w\s,]+?)\s+FROM\s+(\w+)\s*(?:\sWHERE\s+(\S[\s\S]*))?$/i.exec(words);
  if (match === null) return undefined;
  const [, fields = '', object = '', where] = match;
  return {
    object,
    fields: fields.split(',').map((name) => name.trim()),
    // What stands in quotes is as long here as there.
    where: where === undefined ? undefined : query.slice(words.length - where.length).trim(),
  };
}

/** At most 25 characters, and the same for the same settings: a flow that asks for something else gets another topic. */
export function topicName({ query, operations, notifyForFields }: TopicSettings): string {
  const identity = JSON.stringify([query, [...operations].sort(), notifyForFields]);
  return `PB_${createHash('sha256').update(identity).digest('hex').slice(0, 20)}`;
}

/** Words within quotes are values, and a clause in a value is none. */
function withoutQuoted(query: string): string {
  return query.replace(/'(?:[^'\\]|\\.)*'/g, (text) => `'${'x'.repeat(text.length - 2)}'`);
}
