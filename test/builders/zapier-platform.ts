import { createRequire } from 'node:module';
import { createApp } from '../../connectors/zapier/app/app.js';
import { eventually } from './eventually.js';
import type { ZapierHub } from './zapier-hub.js';

// A spec reads what operations give without narrowing it first.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Given = any;

/** The platform is written for require; NODE_ENV begins with test before it loads, or its checks would only be logged. */
export const core = createRequire(import.meta.url)('zapier-platform-core');

/** With what moves assets. */
export const fullApp = createApp({ movesAssets: true }) as Given;

const appTester = core.createAppTester(fullApp);
const handler = core.createAppHandler(fullApp);

/** The app as Zapier runs it, for one user whose hub this is. */
export class ZapierPlatform {
  constructor(
    private readonly hub: ZapierHub,
    readonly apiKey: string,
  ) {}

  run(method: Given, bundle: Given = {}): Promise<Given> {
    return appTester(method, { authData: this.#authData, inputData: {}, meta: {}, ...bundle });
  }

  /** What a drop-down shows. */
  list(key: string, inputData = {}): Promise<Given> {
    return this.run(operation('triggers', key).perform, { inputData });
  }

  /** What the editor shows before a Zap is switched on. */
  samples(trigger: string, inputData = {}): Promise<Given> {
    return this.run(operation('triggers', trigger).performList, { inputData });
  }

  /** A step that does something, without waiting. */
  create(key: string, inputData: Given, meta = {}): Promise<Given> {
    return this.run(operation('creates', key).perform, { inputData, meta });
  }

  search(key: string, inputData: Given): Promise<Given> {
    return this.run(operation('searches', key).perform, { inputData });
  }

  /** The fields that depend on what was chosen before. */
  fields(create: string, inputData: Given): Promise<Given> {
    return this.run(operation('creates', create).inputFields.at(-1), { inputData });
  }

  /** As Zapier switches a Zap on. */
  async switchOn(trigger: string, hook: string, inputData: Given): Promise<Given> {
    const targetUrl = `${this.hub.server.url}/hooks/standard/1001/${hook}/`;
    const subscribeData = await this.run(operation('triggers', trigger).performSubscribe, { inputData, targetUrl });
    return { subscribeData, targetUrl };
  }

  /** What the Zap of a hook was told, once it is so many. */
  received(hook: string, count = 1): Promise<readonly Given[]> {
    return eventually(() => {
      const items = this.hub.zapier.hook(`1001/${hook}`).newest();
      return items.length >= count && items;
    });
  }

  /** As Zapier runs a step that may wait. */
  async execute(method: string, bundle: Given, callback?: string): Promise<Given> {
    return handler({
      command: 'execute',
      method,
      bundle: { authData: this.#authData, meta: {}, ...bundle },
      ...(callback !== undefined && { callback_url: `${this.hub.server.url}/hooks/callback/${callback}` }),
    });
  }

  callback(name: string): Promise<Given> {
    return eventually(() => this.hub.zapier.callbacks().get(name)?.[0]);
  }

  /** The hub is somewhere else when it comes back. */
  get #authData() {
    return { baseUrl: this.hub.url, apiKey: this.apiKey };
  }
}

export function operation(group: string, key: string): Given {
  return fullApp[group][key].operation;
}
