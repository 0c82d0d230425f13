import type { HttpClient, Secret } from '#sdk';

/** Calls the Webhooks service of IFTTT. The key is part of the address, so it is kept out of every error. */
export class MakerClient {
  constructor(
    private readonly baseUrl: string,
    private readonly key: Secret,
    private readonly http: HttpClient,
  ) {}

  /** Fires "Receive a web request". Resolves with what IFTTT says about it. */
  fireWithValues(event: string, values: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
    return this.fire(`/trigger/${event}/with/key/`, values, signal);
  }

  /** Fires "Receive a web request with a JSON payload", which is another trigger with Applets of its own. */
  fireWithJson(event: string, json: unknown, signal: AbortSignal): Promise<string> {
    return this.fire(`/trigger/${event}/json/with/key/`, json, signal);
  }

  private async fire(path: string, payload: unknown, signal: AbortSignal): Promise<string> {
    const key = this.key.reveal();
    const inPath = encodeURIComponent(key);
    const response = await this.http.request({
      method: 'POST',
      url: `${this.baseUrl}${path}${inPath}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
      redact: [inPath, key],
      signal,
    });
    return response.text.trim();
  }
}
