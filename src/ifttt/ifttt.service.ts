import { bearerOf } from '#platform';
import { PatchbayError, type IftttServiceSettings, type Logger } from '#sdk';
import type { ActionRuns } from './action-runs.js';
import type { BuiltInTrigger } from './built-in/built-in-trigger.js';
import type { ConnectWebhooks } from './connect-webhooks.js';
import { choicesOf, type Declarations } from './declarations.js';
import {
  isRecord,
  limitOf,
  parseBody,
  replyOf,
  succeeded,
  type IftttReply,
  type IftttRequest,
} from './ifttt-answer.js';
import { historySize } from './items.store.js';
import type { IftttUser, OauthService } from './oauth/oauth.service.js';
import { testUser } from './oauth/tokens.store.js';
import type { Offer, Option, Validity } from './offer.js';
import type { Query } from './queries.js';
import { hasServiceKey, hasWrongKey, type ServiceAccount } from './service-account.js';
import { testSamples } from './test-samples.js';
import { fieldsOf, type TriggerPolls } from './trigger-polls.js';

export interface IftttServiceParts {
  readonly account: ServiceAccount;
  readonly declarations: Declarations;
  readonly builtIn: ReadonlyMap<string, BuiltInTrigger>;
  readonly polls: TriggerPolls;
  readonly actions: ActionRuns;
  readonly queries: ReadonlyMap<string, Query>;
  readonly webhooks: ConnectWebhooks;
  readonly oauth: OauthService;
  readonly log: Logger;
}

/** One call whose sender is known. */
interface Call {
  readonly request: IftttRequest;
  readonly service: IftttServiceSettings;
  /** Whom IFTTT acts for; the service itself where the key opens everything. */
  readonly user: IftttUser;
  readonly isTest: boolean;
  readonly body: Readonly<Record<string, unknown>>;
}

type Act = (call: Call, ...parts: readonly string[]) => Promise<IftttReply> | IftttReply;

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** `key`: only the service itself. `user`: whoever the service acts for. */
  readonly for: 'key' | 'user';
  readonly act: Act;
}

const wholeHub: IftttUser = { id: 'patchbay', name: 'Patchbay' };

/** The hub as a service of IFTTT: every endpoint of its service API, in its shapes and statuses. */
export class IftttService {
  readonly #routes: readonly Route[];

  constructor(private readonly parts: IftttServiceParts) {
    const { polls, webhooks } = parts;
    this.#routes = [
      route('GET', '/status', 'key', () => ({ status: 200 })),
      route('POST', '/test/setup', 'key', ({ service }) => this.#setUpTest(service)),
      route('GET', '/user/info', 'user', ({ user }) => succeeded({ ...user })),
      route('POST', '/triggers/:slug', 'user', async ({ body, isTest }, slug) =>
        succeeded(await polls.poll(slug, body, isTest)),
      ),
      route('DELETE', '/triggers/:slug/trigger_identity/:id', 'user', async (_, slug, id) => {
        await polls.forget(id);
        return { status: 200, body: { data: [] } };
      }),
      // The documentation names one path, the OpenAPI file of IFTTT the other.
      route('POST', '/triggers/:slug/validate', 'user', ({ body }, slug) => this.#validateAll(slug, body)),
      route('POST', '/triggers/:slug/fields/validate', 'user', ({ body }, slug) => this.#validateAll(slug, body)),
      route('POST', '/triggers/:slug/fields/:field/options', 'user', (_, slug, field) =>
        this.#options(polls.offer(slug), field, (name) => this.#trigger(slug).options(name)),
      ),
      route('POST', '/triggers/:slug/fields/:field/validate', 'user', ({ body }, slug, field) =>
        this.#validateOne(slug, field, body),
      ),
      route('POST', '/actions/:slug', 'user', (call, slug) => this.#act(call, slug)),
      route('POST', '/actions/:slug/fields/:field/options', 'user', (_, slug, field) => {
        const offer = parts.actions.offer(slug);
        return this.#options(offer, field, async (name) => choicesOf(offer.declared.fields[name]));
      }),
      route('POST', '/queries/:slug', 'user', ({ body }, slug) => this.#query(slug, body)),
      route('POST', '/queries/:slug/fields/:field/options', 'user', (_, slug, field) => {
        const query = this.#queryOf(slug);
        return this.#options(query.offer, field, async (name) => query.options(name));
      }),
      route('POST', '/webhooks/:type/:event', 'key', async ({ body }, type, event) => {
        await webhooks.record(type, event, body);
        return { status: 200, body: { data: [] } };
      }),
    ];
  }

  /** Never throws: whatever goes wrong is said in the words of IFTTT. */
  async answer(request: IftttRequest): Promise<IftttReply> {
    const { method, path, requestId } = request;
    const reply = await this.#answer(request).catch((error: unknown) => {
      const refusal = replyOf(error);
      if (refusal.status === 500) this.parts.log.error('A request of IFTTT failed', { requestId, method, path, error });
      // Only its status is read.
      return method === 'GET' && path === '/status' ? { status: refusal.status } : refusal;
    });
    this.parts.log.debug('IFTTT called', { requestId, method, path, status: reply.status });
    return reply;
  }

  async #answer(request: IftttRequest): Promise<IftttReply> {
    const path = request.path.replace(/\/$/, '');
    for (const { method, path: pattern, for: whom, act } of this.#routes) {
      const parts = method === request.method ? pattern.exec(path) : null;
      if (!parts) continue;
      const call = await this.#authenticate(request, whom);
      return act(call, ...parts.slice(1).map(decoded));
    }
    throw new PatchbayError('request.notFound', { detail: `There is nothing under ${request.method} ${path}` });
  }

  async #authenticate(request: IftttRequest, whom: Route['for']): Promise<Call> {
    const service = await this.parts.account.get();
    const { headers } = request;
    const user = await this.#userOf(service, headers, whom);
    if (user === undefined) throw new PatchbayError('auth.invalid', { detail: 'The key or token is not valid' });
    const isTest = headers['ifttt-test-mode'] === '1' || user.id === testUser;
    return { request, service, user, isTest, body: parseBody(request.body) };
  }

  async #userOf(
    { key, oauth }: IftttServiceSettings,
    headers: IftttRequest['headers'],
    whom: Route['for'],
  ): Promise<IftttUser | undefined> {
    if (whom === 'key' || oauth === undefined) return hasServiceKey(headers, key) ? wholeHub : undefined;
    if (hasWrongKey(headers, key)) return undefined;
    return this.parts.oauth.userOf(bearerOf(headers['authorization']));
  }

  async #setUpTest({ oauth }: IftttServiceSettings): Promise<IftttReply> {
    const { declarations, builtIn, queries } = this.parts;
    const samples = await testSamples({ actions: declarations.actions(), builtIn, queries });
    return succeeded({ ...(oauth && { accessToken: await this.parts.oauth.testToken() }), samples });
  }

  async #act({ request, body, isTest }: Call, slug: string): Promise<IftttReply> {
    const id = await this.parts.actions.start({ slug, body, requestId: request.headers['x-request-id'], isTest });
    return succeeded([{ id }]);
  }

  async #query(slug: string, body: Call['body']): Promise<IftttReply> {
    const query = this.#queryOf(slug);
    const fields = fieldsOf(query.offer.fields, body['queryFields'], 'queryFields');
    const limit = limitOf(body, historySize);
    const { cursor } = body;
    if (limit === 0) return succeeded([]);
    const page = await query.read(fields, {
      limit,
      cursor: typeof cursor === 'string' && cursor !== '' ? cursor : undefined,
    });
    return succeeded(page.rows, page.cursor === undefined ? {} : { cursor: page.cursor });
  }

  async #options(
    { fields }: Offer,
    field: string,
    list: (field: string) => Promise<readonly Option[]>,
  ): Promise<IftttReply> {
    const isOffered = fields.some(({ slug, isDynamic }) => slug === field && isDynamic);
    if (!isOffered)
      throw new PatchbayError('request.notFound', { detail: `There are no choices for the field ${field}` });
    return succeeded(await list(field));
  }

  /** By itself; what it depends on is given with it or cannot be judged. */
  async #validateOne(slug: string, field: string, body: Call['body']): Promise<IftttReply> {
    const trigger = this.#trigger(slug);
    if (!trigger.offer.fields.some((one) => one.slug === field)) {
      throw new PatchbayError('request.notFound', { detail: `The trigger ${slug} has no field ${field}` });
    }
    const sample = (await trigger.sample()) ?? {};
    const judged = await trigger.validate({ ...sample, [field]: body['value'] ?? '' });
    return succeeded(shown(judged[field]));
  }

  async #validateAll(slug: string, body: Call['body']): Promise<IftttReply> {
    const { values } = body;
    if (!isRecord(values)) throw new PatchbayError('request.invalid', { detail: 'values is missing' });
    const trigger = this.#trigger(slug);
    const judged = await trigger.validate(values);
    return succeeded(Object.fromEntries(Object.keys(values).map((field) => [field, shown(judged[field])])));
  }

  /** @throws request.notFound */
  #trigger(slug: string): BuiltInTrigger {
    const trigger = this.parts.builtIn.get(slug);
    if (trigger !== undefined) return trigger;
    const { slug: known } = this.parts.polls.offer(slug);
    throw new PatchbayError('request.notFound', { detail: `The trigger ${known} has no fields` });
  }

  #queryOf(slug: string): Query {
    const query = this.parts.queries.get(slug);
    if (query !== undefined) return query;
    throw new PatchbayError('request.notFound', { detail: `There is no query ${slug}` });
  }
}

function route(method: string, path: string, whom: Route['for'], act: Act): Route {
  const pattern = path.replaceAll(/:\w+/g, '([^/]+)');
  return { method, path: new RegExp(`^${pattern}$`), for: whom, act };
}

function shown(validity: Validity | undefined): Validity {
  return validity ?? { valid: true };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
