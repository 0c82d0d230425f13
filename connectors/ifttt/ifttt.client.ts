import { PatchbayError, type HttpClient, type IftttServiceSettings, type Secret } from '#sdk';

export interface MakerOptions {
  readonly baseUrl: string;
  /** Absent: the connection only serves as a service. */
  readonly makerKey: Secret | undefined;
  readonly http: HttpClient;
}

/** Calls the Webhooks service of IFTTT. The key is part of the address, so it is kept out of every error. */
export class IftttClient {
  constructor(
    private readonly maker: MakerOptions,
    /** What makes the hub a service of IFTTT; the hub reads it. */
    readonly service: IftttServiceSettings | undefined,
  ) {}

  /** Fires "Receive a web request". Resolves with what IFTTT says about it. */
  fireWithValues(event: string, values: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    return this.#fire(`/trigger/${event}/with/key/`, values, signal);
  }

  /** Fires "Receive a web request with a JSON payload", which is another trigger with Applets of its own. */
  fireWithJson(event: string, json: unknown, signal: AbortSignal): Promise<string> {
    return this.#fire(`/trigger/${event}/json/with/key/`, json, signal);
  }

  async #fire(path: string, payload: unknown, signal: AbortSignal): Promise<string> {
    const { baseUrl, makerKey, http } = this.maker;
    if (makerKey === undefined) {
      throw new PatchbayError('connection.invalid', {
        detail: 'The connection has no key of the Webhooks service.',
        fix: 'Add makerKey to it, or publish the event with ifttt.publish.',
      });
    }
    const key = makerKey.reveal();
    const inPath = encodeURIComponent(key);
    const response = await http.request({
      method: 'POST',
      url: `${baseUrl}${path}${inPath}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
      redact: [inPath, key],
      signal,
    });
    return response.text.trim();
  }
}
