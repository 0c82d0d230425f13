import { RestError } from './rest-error.js';
import { fieldsOf, methodNotAllowed, type Org, type RestAnswer, type RestRequest } from './rest-request.js';
import type { Row } from './soql-rows.js';

interface SubRequest {
  readonly method: string;
  readonly url: string;
  readonly referenceId: string;
  readonly body?: unknown;
  readonly richInput?: unknown;
  readonly httpHeaders?: Readonly<Record<string, string>>;
}

interface SubAnswer {
  readonly body: unknown;
  readonly httpHeaders: Readonly<Record<string, string>>;
  readonly httpStatusCode: number;
  readonly referenceId: string;
}

const subRequestsAtMost = 25;
const heavyAtMost = 5;

/** `/composite` and `/composite/batch`: several calls in one, answered 200 whatever happens inside. */
export class Composite {
  readonly #org: Org;
  readonly #perform: (request: RestRequest) => RestAnswer;

  constructor(org: Org, perform: (request: RestRequest) => RestAnswer) {
    this.#org = org;
    this.#perform = perform;
  }

  answer(request: RestRequest): RestAnswer {
    if (request.method !== 'POST') throw methodNotAllowed(request.method);
    const body = fieldsOf(request.body);
    const subRequests = checked(body['compositeRequest']);
    const allOrNone = body['allOrNone'] === true;
    const answers: SubAnswer[] = [];
    try {
      const all = () => {
        for (const sub of subRequests) answers.push(this.#one(request, sub, answers));
        if (allOrNone && answers.some(({ httpStatusCode }) => httpStatusCode >= 400)) throw new Halted();
      };
      if (allOrNone) this.#org.records.transaction(all);
      else all();
    } catch (error) {
      if (!(error instanceof Halted)) throw error;
      const reason = 'The transaction was rolled back since another operation in the same transaction failed.';
      const compositeResponse = answers.map((answer) =>
        answer.httpStatusCode >= 400 && !isHalted(answer) ? answer : halted(answer.referenceId, reason),
      );
      return { status: 200, body: { compositeResponse } };
    }
    return { status: 200, body: { compositeResponse: answers } };
  }

  batch(request: RestRequest): RestAnswer {
    if (request.method !== 'POST') throw methodNotAllowed(request.method);
    const body = fieldsOf(request.body);
    const subRequests = (Array.isArray(body['batchRequests']) ? body['batchRequests'] : []) as SubRequest[];
    if (subRequests.length > subRequestsAtMost) throw tooMany();
    const results: { statusCode: number; result: unknown }[] = [];
    for (const sub of subRequests) {
      const isOver = body['haltOnError'] === true && results.some(({ statusCode }) => statusCode >= 400);
      if (isOver) {
        results.push({
          statusCode: 412,
          result: [{ errorCode: 'BATCH_PROCESSING_HALTED', message: 'Batch processing halted per request' }],
        });
        continue;
      }
      const { status, body: result } = this.#call(
        request,
        { ...sub, url: `/${sub.url.replace(/^\//, '')}` },
        sub.richInput,
      );
      results.push({ statusCode: status, result: result ?? null });
    }
    return { status: 200, body: { hasErrors: results.some(({ statusCode }) => statusCode >= 400), results } };
  }

  #one(request: RestRequest, sub: SubRequest, earlier: readonly SubAnswer[]): SubAnswer {
    let resolved: SubRequest;
    try {
      resolved = JSON.parse(withReferences(JSON.stringify(sub), earlier)) as SubRequest;
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      return halted(sub.referenceId, error.message);
    }
    const { status, body, headers } = this.#call(request, resolved, resolved.body);
    return { body: body ?? null, httpHeaders: headers ?? {}, httpStatusCode: status, referenceId: sub.referenceId };
  }

  #call(request: RestRequest, sub: SubRequest, body: unknown): RestAnswer {
    const url = new URL(sub.url, 'http://stand-in');
    const [, version = request.version, path = ''] =
      /^(?:\/services\/data)?\/v(\d+\.\d)(\/.*)$/.exec(url.pathname) ?? [];
    const headers = Object.fromEntries(
      Object.entries(sub.httpHeaders ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    );
    try {
      if (path === '' || path.startsWith('/composite/batch'))
        throw new RestError(400, 'INVALID_INPUT', `bad url ${sub.url}`);
      return this.#perform({ ...request, method: sub.method, path, version, query: url.searchParams, headers, body });
    } catch (error) {
      if (error instanceof RestError) return { status: error.status, body: error.errors };
      throw error;
    }
  }
}

class Halted extends Error {}

function checked(list: unknown): SubRequest[] {
  const subRequests = (Array.isArray(list) ? list : []) as SubRequest[];
  if (subRequests.length > subRequestsAtMost) throw tooMany();
  const heavy = subRequests.filter(({ url }) => /\/(query|queryAll|composite\/sobjects)\b/.test(url));
  if (heavy.length > heavyAtMost) {
    throw new RestError(400, 'LIMIT_EXCEEDED', `At most ${heavyAtMost} query or collection operations are allowed`);
  }
  const names = subRequests.map(({ referenceId }) => referenceId);
  if (new Set(names).size < names.length || names.some((name) => typeof name !== 'string' || name === '')) {
    throw new RestError(400, 'INVALID_INPUT', 'Every sub-request needs a referenceId of its own');
  }
  return subRequests;
}

/** Puts the results of earlier calls in: `@{refAccount.id}`, `@{refQuery.records[0].Id}`. */
function withReferences(text: string, earlier: readonly SubAnswer[]): string {
  return text.replace(/@\{(\w+)((?:\.\w+|\[\d+\])*)\}/g, (whole, name: string, path: string) => {
    const answer = earlier.find(({ referenceId }) => referenceId === name);
    const failedReference = new RestError(
      400,
      'PROCESSING_HALTED',
      `Invalid reference specified. No value for ${whole.slice(2, -1)} found in ${name}`,
    );
    if (answer === undefined || answer.httpStatusCode >= 400) throw failedReference;
    let value: unknown = answer.body;
    for (const [step] of path.matchAll(/\w+/g)) value = (value as Row | null)?.[step];
    if (value === undefined || value === null || typeof value === 'object') throw failedReference;
    return JSON.stringify(String(value)).slice(1, -1);
  });
}

function halted(referenceId: string, message: string): SubAnswer {
  return { body: [{ errorCode: 'PROCESSING_HALTED', message }], httpHeaders: {}, httpStatusCode: 400, referenceId };
}

function isHalted({ body }: SubAnswer): boolean {
  return Array.isArray(body) && (body[0] as Row | undefined)?.['errorCode'] === 'PROCESSING_HALTED';
}

function tooMany(): RestError {
  return new RestError(400, 'LIMIT_EXCEEDED', `The request contains more than ${subRequestsAtMost} sub-requests`);
}
