import type { Exchange } from './exchange.js';
import { parseBody } from './exchange.js';
import { parseFault } from './faults.js';
import type { SalesforceStandIn } from './options.js';
import { RestError } from './rest-error.js';
import { fieldsOf } from './rest-request.js';
import { parseRule } from './save-rules.js';

/** What can be told and asked beside the protocol of Salesforce; undefined when the path is none of these. */
export function control(org: SalesforceStandIn, exchange: Exchange): { readonly body: unknown } | undefined {
  const { method, path, query } = exchange;
  const body = () => fieldsOf(parseBody(exchange.body) ?? {});
  if (path === '/_state') return { body: org.state() };
  if (path === '/_faults') {
    if (method === 'DELETE') org.addFault({ kind: 'clear' });
    if (method === 'POST') org.addFault(parseFault(body()) ?? unknownKind('fault'));
    return { body: org.state().waitingFaults };
  }
  if (path === '/_rules') {
    if (method === 'DELETE') org.clearRules();
    if (method === 'POST') org.addRule(parseRule(body()) ?? unknownKind('rule'));
    return { body: org.state().rules };
  }
  if (path === '/_clock') {
    if (method === 'POST') org.setClock(body());
    return { body: { now: org.now().toISOString() } };
  }
  if (path === '/_events') return { body: org.events(query.get('channel') ?? '/data/ChangeEvents') };
  const [, object, id] = /^\/_records\/(\w+)(?:\/(\w+))?$/.exec(path) ?? [];
  return object === undefined ? undefined : { body: person(org, method, object, id, body) };
}

/** Changes rows as a person in the org would: POST creates, PATCH updates, DELETE deletes, PUT undeletes. */
function person(
  org: SalesforceStandIn,
  method: string,
  object: string,
  id: string | undefined,
  body: () => Readonly<Record<string, unknown>>,
): unknown {
  if (method === 'GET') return org.state().records[object] ?? [];
  if (method === 'POST') return { id: org.create(object, body()) };
  if (id === undefined) throw new RestError(400, 'MISSING_ARGUMENT', 'The id of the record is missing');
  if (method === 'PATCH') org.update(object, id, body());
  if (method === 'DELETE') org.delete(object, id);
  if (method === 'PUT') org.undelete(object, id);
  return { id };
}

function unknownKind(what: string): never {
  throw new RestError(400, `UNKNOWN_${what.toUpperCase()}`, `kind is not a known ${what}`, ['kind']);
}
