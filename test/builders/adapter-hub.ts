import { LocalHub, type Answered } from './local-hub.js';

export type { Answered };

/** A whole hub in this process, whose flows are asked as external adapters. */
export class AdapterHub {
  private constructor(private readonly hub: LocalHub) {}

  static async start(options: {
    /** Name to YAML. */
    readonly flows: Readonly<Record<string, string>>;
    readonly configuration?: string;
    readonly port?: number;
  }): Promise<AdapterHub> {
    const { flows, configuration = '', port = 0 } = options;
    const env =
      port > 0 ? { PATCHBAY_PORT: String(port), PATCHBAY_PUBLIC_URL: `http://127.0.0.1:${String(port)}` } : {};
    const hub = await LocalHub.create({ env });
    const files = Object.entries(flows).map(([name, text]) => [`${name}.yaml`, text] as const);
    await hub.writeFlows(Object.fromEntries(files));
    await hub.writeConfiguration(configuration);
    await hub.boot();
    return new AdapterHub(hub);
  }

  boot(): Promise<void> {
    return this.hub.boot();
  }

  halt(): Promise<void> {
    return this.hub.halt();
  }

  get url(): string {
    return this.hub.url;
  }

  makeKey(scopes: readonly string[] = ['oracle:adapters']): Promise<string> {
    return this.hub.makeKey('node', scopes);
  }

  /** As a node asks. */
  adapter(flow: string, body: unknown, key?: string): Promise<{ status: number; body: Answered }> {
    return this.ask('POST', `/oracle/adapters/${flow}`, body, key);
  }

  async ask(method: string, path: string, body?: unknown, key?: string): Promise<{ status: number; body: Answered }> {
    const { status, body: answered } = await this.hub.ask(method, path, body, key);
    return { status, body: answered };
  }

  close(): Promise<void> {
    return this.hub.close();
  }
}
