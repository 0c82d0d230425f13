import type { Catalog } from '#catalog';
import {
  PatchbayError,
  isSecretSchema,
  type AnyConnection,
  type AuthorisationGrant,
  type AuthorisationRequest,
  type HttpClient,
  type Logger,
  type UseService,
} from '#sdk';
import type { DeclaredConnection } from './configuration-file.js';
import type { ConnectionsStore } from './connections.store.js';

export interface ConnectionsParts {
  readonly catalog: Catalog;
  readonly declared: readonly DeclaredConnection[];
  readonly store: ConnectionsStore;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly use: UseService;
}

interface Known {
  readonly name: string;
  readonly connector: string;
  readonly origin: 'file' | 'store';
  readonly isDefault: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ConnectionView {
  readonly name: string;
  readonly connector: string;
  readonly origin: 'file' | 'store';
  readonly isDefault: boolean;
  readonly isOpen: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What the connector knows of the open connection, such as what is left of a quota. */
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Finds connections by name, opens each at most once, and keeps it open. */
export class ConnectionsService {
  readonly #known = new Map<string, Known>();
  readonly #clients = new Map<string, Promise<unknown>>();
  readonly #opened = new Map<string, unknown>();

  constructor(private readonly parts: ConnectionsParts) {}

  async load(): Promise<void> {
    for (const declared of this.parts.declared) {
      const connector =
        declared.connector ?? this.parts.catalog.connectorOfSection(declared.section ?? '')?.name ?? declared.section;
      this.#know({ ...declared, connector: connector ?? '', origin: 'file' });
    }
    for (const stored of await this.parts.store.list()) {
      const declared = this.#known.get(stored.name);
      if (declared === undefined) this.#know({ ...stored, isDefault: false, origin: 'store' });
      // A file cannot be written to: what a browser gave for one of its connections is kept beside it.
      else if (declared.connector === stored.connector) this.#know(this.#withGiven(declared, stored.settings));
    }
  }

  /** Name to connector, for the linter. */
  names(): ReadonlyMap<string, string> {
    return new Map([...this.#known.values()].map((known) => [known.name, known.connector]));
  }

  list(): ConnectionView[] {
    return [...this.#known.values()].map((known) => ({
      name: known.name,
      connector: known.connector,
      origin: known.origin,
      isDefault: known.isDefault,
      isOpen: this.#clients.has(known.name),
      settings: this.#masked(known),
      ...this.#status(known),
    }));
  }

  /**
   * The name of the connection a step uses: the one it names, else the connector's default: the one marked so, or the only one.
   * Undefined when the connector has none and needs none.
   */
  nameFor(connector: string, asked: string | undefined): string | undefined {
    if (asked !== undefined) {
      const known = this.#known.get(asked);
      if (known === undefined || known.connector !== connector) {
        throw new PatchbayError('connection.notFound', {
          detail: `There is no ${connector} connection called ${asked}.`,
          fix: `Add it to patchbay.yaml or with: npx patchbay connection add ${connector} --name ${asked}`,
        });
      }
      return asked;
    }
    const candidates = [...this.#known.values()].filter((known) => known.connector === connector);
    return (candidates.find((known) => known.isDefault) ?? (candidates.length === 1 ? candidates[0] : undefined))?.name;
  }

  /**
   * The client for a step or trigger; undefined where the definition needs no connection.
   *
   * @throws connection.notFound when one is needed and none can be chosen
   */
  async clientFor(
    uses: string,
    definition: { readonly connection?: unknown; readonly connectionOptional?: boolean },
    asked: string | undefined,
  ): Promise<unknown> {
    if (definition.connection === undefined) return undefined;
    const connector = uses.slice(0, uses.indexOf('.'));
    // An optional connection is used only when the flow names it: a default would surprise.
    if (definition.connectionOptional === true && asked === undefined) return undefined;
    const name = this.nameFor(connector, asked);
    if (name === undefined) {
      throw new PatchbayError('connection.notFound', {
        detail: `${uses} needs a connection, and there is no default one for ${connector}.`,
        fix: `Name one with connection:, or mark one as default: true in patchbay.yaml.`,
      });
    }
    return this.client(name);
  }

  /** Opens the connection if it is not open yet. A failed attempt is forgotten, so that the next one tries again. */
  client(name: string): Promise<unknown> {
    const open = this.#clients.get(name);
    if (open !== undefined) return open;
    const opening = this.#open(this.#get(name)).catch((error: unknown) => {
      this.#clients.delete(name);
      throw error;
    });
    this.#clients.set(name, opening);
    return opening;
  }

  async add(input: { name: string; connector: string; settings: Record<string, unknown> }): Promise<ConnectionView> {
    if (this.#known.get(input.name)?.origin === 'file') {
      throw new PatchbayError('request.conflict', {
        detail: `The connection ${input.name} is declared in patchbay.yaml.`,
        fix: 'Change it there, or choose another name.',
      });
    }
    const known: Known = { ...input, origin: 'store', isDefault: false };
    this.#parse(known);
    await this.parts.store.put(input);
    await this.#forget(input.name);
    this.#know(known);
    return this.list().find((view) => view.name === input.name) as ConnectionView;
  }

  async remove(name: string): Promise<void> {
    if (this.#get(name).origin === 'file') {
      throw new PatchbayError('request.conflict', { detail: `The connection ${name} is declared in patchbay.yaml.` });
    }
    await this.parts.store.delete(name);
    await this.#forget(name);
    this.#known.delete(name);
  }

  /** Tries the settings out. @returns what the connector knows then. @throws whatever the other side says, with its code */
  async test(name: string, signal: AbortSignal): Promise<Pick<ConnectionView, 'status'>> {
    const known = this.#get(name);
    const client: unknown = await this.client(name);
    await this.#definition(known).test?.(client, signal);
    return this.#status(known);
  }

  /**
   * Where a browser has to be sent so that somebody lets the hub in.
   * @throws request.conflict – the connector knows no such way
   */
  authorisationAddress(name: string, request: AuthorisationRequest): string {
    const known = this.#get(name);
    return this.#authorisation(known).address(this.#parse(known), request);
  }

  /** Takes the code that the browser came back with; what it is worth is kept sealed, and the connection opened anew. */
  async authorise(name: string, grant: AuthorisationGrant): Promise<void> {
    const known = this.#get(name);
    const settings = this.#parse(known) as Record<string, unknown>;
    await this.#keep(name, await this.#authorisation(known).redeem(settings, grant, this.parts.http));
    await this.#forget(name);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.keys()].map((name) => this.#forget(name)));
  }

  #know(known: Known): void {
    if (this.parts.catalog.connector(known.connector) === undefined) {
      throw new PatchbayError('config.invalid', {
        detail: `The connection ${known.name} belongs to the connector ${known.connector}, which is not known.`,
        fix: `Known connectors: ${this.parts.catalog.connectors().join(', ')}.`,
      });
    }
    this.#known.set(known.name, known);
  }

  #authorisation(known: Known): NonNullable<AnyConnection['authorisation']> {
    const { authorisation } = this.#definition(known);
    if (authorisation !== undefined) return authorisation;
    throw new PatchbayError('request.conflict', {
      detail: `A connection of ${known.connector} is not authorised in a browser.`,
      fix: `Its settings are all it needs; try them: npx patchbay connection test ${known.name}`,
    });
  }

  /** Only what the connector says that a browser gives: whatever else the file says, it says itself. */
  #withGiven(known: Known, settings: Readonly<Record<string, unknown>>): Known {
    const names = this.#definition(known).authorisation?.gives ?? [];
    const given = Object.entries(settings).filter(([key]) => names.includes(key));
    return { ...known, settings: { ...known.settings, ...Object.fromEntries(given) } };
  }

  async #keep(name: string, changed: Readonly<Record<string, unknown>>): Promise<void> {
    const known = this.#get(name);
    const kept = { ...known, settings: { ...known.settings, ...changed } };
    const stored = known.origin === 'file' ? changed : kept.settings;
    await this.parts.store.put({ name, connector: known.connector, settings: stored });
    this.#know(kept);
  }

  #status(known: Known): { status?: Readonly<Record<string, unknown>> } {
    const client = this.#opened.get(known.name);
    if (client === undefined) return {};
    const status = this.#definition(known).status?.(client);
    return status === undefined ? {} : { status };
  }

  #get(name: string): Known {
    const known = this.#known.get(name);
    if (known === undefined)
      throw new PatchbayError('connection.notFound', { detail: `There is no connection called ${name}.` });
    return known;
  }

  #definition(known: Known): AnyConnection {
    const definition = this.parts.catalog.connectionOf(known.connector);
    if (definition === undefined) {
      throw new PatchbayError('connection.invalid', { detail: `${known.connector} takes no connection.` });
    }
    return definition;
  }

  #parse(known: Known): unknown {
    const schema = this.#definition(known).settings;
    const parsed = schema.safeParse(known.settings);
    if (parsed.success) return parsed.data;
    throw new PatchbayError('connection.invalid', {
      detail: `The settings of the connection ${known.name} are not valid.`,
      fix: `The page of the ${known.connector} connector lists its settings.`,
      faults: parsed.error.issues.map((issue) => ({ pointer: `/${issue.path.join('/')}`, detail: issue.message })),
    });
  }

  async #open(known: Known): Promise<unknown> {
    const settings = this.#parse(known) as Record<string, unknown>;
    const client: unknown = await this.#definition(known).open(settings, {
      name: known.name,
      http: this.parts.http,
      log: this.parts.log,
      use: this.parts.use,
      keep: (changed) => this.#keep(known.name, changed),
    });
    this.#opened.set(known.name, client);
    return client;
  }

  async #forget(name: string): Promise<void> {
    const open = this.#clients.get(name);
    if (open === undefined) return;
    this.#clients.delete(name);
    this.#opened.delete(name);
    const client = await open.catch(() => undefined);
    if (client !== undefined) await this.#definition(this.#get(name)).close?.(client);
  }

  #masked(known: Known): Record<string, unknown> {
    const shape = this.#definition(known).settings.shape as Record<string, Parameters<typeof isSecretSchema>[0]>;
    return Object.fromEntries(
      Object.entries(known.settings).map(([key, value]) => {
        const leaf = shape[key];
        return [key, leaf === undefined || isSecretLeaf(leaf) ? '***' : value];
      }),
    );
  }
}

function isSecretLeaf(schema: Parameters<typeof isSecretSchema>[0]): boolean {
  if (isSecretSchema(schema)) return true;
  const inner = (schema as { unwrap?: () => Parameters<typeof isSecretSchema>[0] }).unwrap?.();
  return inner !== undefined && isSecretLeaf(inner);
}
