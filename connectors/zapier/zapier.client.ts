import { PatchbayError, type HttpClient, type Secret } from '#sdk';

export interface HookAnswer {
  readonly id: string | undefined;
  readonly requestId: string | undefined;
}

/** Posts to one hook. The whole address is the credential, so it is kept out of every error. */
export class CatchHookClient {
  private readonly url: string;

  constructor(
    connection: string,
    hookUrl: Secret,
    private readonly http: HttpClient,
  ) {
    this.url = hookUrl.reveal();
    if (URL.canParse(this.url) && /^https?:/.test(this.url)) return;
    throw new PatchbayError('connection.invalid', {
      detail: `The hook address of the connection ${connection} is not a URL.`,
      fix: 'Copy it from the Catch Hook step of the Zap; it begins with https://hooks.zapier.com/hooks/catch/.',
    });
  }

  async post(
    body: Readonly<Record<string, unknown>>,
    idempotencyKey: string,
    signal: AbortSignal,
  ): Promise<HookAnswer> {
    const { pathname, search } = new URL(this.url);
    const response = await this.http.request({
      method: 'POST',
      url: this.url,
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify(body),
      redact: [this.url, `${pathname}${search}`, pathname].filter((text) => text !== '/'),
      signal,
    });
    return { id: textAt(response.body, 'id'), requestId: textAt(response.body, 'request_id') };
  }
}

/** A hook in silent mode answers with an empty body. */
function textAt(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const value: unknown = Reflect.get(body, field);
  return typeof value === 'string' ? value : undefined;
}
