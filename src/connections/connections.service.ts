import type { Catalog } from '#catalog';
import {
  PatchbayError,
  type AnyConnection,
  type AuthorisationGrant,
  type AuthorisationRequest,
  type HttpClient,
  type Logger,
  type UseService,
} from '#sdk';
import { checkTypedSettings, checkedSettings } from './checked-settings.js';
import type { DeclaredConnection } from './configuration-file.js';
import { defaultOf } from './default-connection.js';
import { replacedMeanwhile, type ConnectionTroubles } from './connection-troubles.js';
import type { ConnectionView, UsesConnection } from './connection-view.js';
import { storedOf, withChanged, type KnownConnection as Known } from './known-connection.js';
import { maskSettings } from './masked-settings.js';
import type { ConnectionsStore, VersionedConnection } from './connections.store.js';
import { OpenClients } from './open-clients.js';
import { settingsKeeper } from './settings-keeper.js';

export interface ConnectionsParts {
  readonly catalog: Catalog;
  readonly declared: readonly DeclaredConnection[];
  readonly store: ConnectionsStore;
  readonly troubles: ConnectionTroubles;
  readonly http: HttpClient;
  readonly log: Logger;
  readonly use: UseService;
  /** Tells this hub from others. */
  readonly hub?: string;
}

/** Finds connections by name, opens each at most once, and keeps it open. */
export class ConnectionsService {
  readonly #known = new Map<string, Known>();
  /** Of what the store holds, as this process knows it. */
  readonly #versions = new Map<string, string>();
  readonly #clients: OpenClients;
  readonly #whenWritten = new Set<() => void>();
  readonly #whenReopened = new Set<(name: string) => void>();

  constructor(private readonly parts: ConnectionsParts) {
    this.#clients = new OpenClients(parts.log);
    parts.troubles.onOver((name) => {
      this.#tellReopened(name);
      this.#written();
    });
  }

  async load(): Promise<void> {
    for (const declared of this.parts.declared) {
      const connector =
        declared.connector ?? this.parts.catalog.connectorOfSection(declared.section ?? '')?.name ?? declared.section;
      this.#know({ ...declared, connector: connector ?? '', origin: 'file' });
    }
    for (const stored of await this.parts.store.list()) this.#take(stored);
    await this.parts.troubles.refresh();
  }

  /** Takes over what other processes wrote since; a connection whose settings changed is opened anew when it is needed next. */
  async refresh(): Promise<void> {
    await this.parts.troubles.refresh();
    const before = new Map(this.#versions);
    const { gone, changed } = await this.parts.store.changesSince(before);
    // What this process has written meanwhile is newer than the answer.
    const isNews = (name: string): boolean => this.#versions.get(name) === before.get(name);
    for (const name of gone) if (isNews(name) && this.#known.get(name)?.origin === 'store') this.#lose(name);
    for (const stored of changed) {
      if (!isNews(stored.name)) continue;
      try {
        this.#take(stored);
        this.#reopen(stored.name);
      } catch (error) {
        this.parts.log.warn('A connection that was changed cannot be used here', { connection: stored.name, error });
      }
    }
  }

  /** This process has changed what is kept about a connection. */
  onWritten(listener: () => void): void {
    this.#whenWritten.add(listener);
  }

  /** The client of a connection was closed: other settings, its trouble is over, or it is gone. Whoever holds it asks anew. */
  onReopened(listener: (name: string) => void): void {
    this.#whenReopened.add(listener);
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
      isDefault: defaultOf(known.connector, this.#known.values()) === known,
      isOpen: this.#clients.isOpen(known.name),
      settings: maskSettings(this.#definition(known).settings, known.settings),
      ...this.#status(known),
      ...this.#trouble(known.name),
    }));
  }

  /**
   * The name of the connection a step uses: the one it names, else the connector's default. Undefined when the
   * connector has none and needs none.
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
    return defaultOf(connector, this.#known.values())?.name;
  }

  /**
   * The client for a step or trigger; undefined where the definition needs no connection.
   *
   * @throws connection.notFound when one is needed and none can be chosen
   */
  async clientFor(uses: string, definition: UsesConnection, asked: string | undefined): Promise<unknown> {
    const name = this.#needed(uses, definition, asked);
    if (name === undefined) return undefined;
    this.parts.troubles.refuse(name);
    return this.client(name);
  }

  /**
   * The client for as long as `work` takes. Where the other side refuses the connection itself, that is kept.
   *
   * @throws connection.waiting until somebody has let the hub in again; whatever else `work` throws
   */
  async using<T>(
    { uses, definition, asked }: { uses: string; definition: UsesConnection; asked: string | undefined },
    work: (client: unknown) => Promise<T>,
  ): Promise<T> {
    const name = this.#needed(uses, definition, asked);
    if (name === undefined) return work(undefined);
    this.parts.troubles.refuse(name);
    const turn = this.#clients.turn(name);
    let client: unknown;
    try {
      client = await this.client(name);
      return await this.#clients.during(client, () => work(client));
    } catch (thrown) {
      throw await this.#blamed({ name, turn, client }, thrown);
    }
  }

  /** Opens the connection if it is not open yet. A failed attempt is forgotten, so that the next one tries again. */
  client(name: string): Promise<unknown> {
    const known = this.#get(name);
    const { close } = this.#definition(known);
    return this.#clients.open(name, { open: () => this.#open(known), close });
  }

  /** The client of a connection, whatever its trouble, for as long as `work` takes. */
  async during<T>(name: string, work: (client: unknown) => Promise<T>): Promise<T> {
    const client = await this.client(name);
    return this.#clients.during(client, () => work(client));
  }

  async add(input: { name: string; connector: string; settings: Record<string, unknown> }): Promise<ConnectionView> {
    if (this.#known.get(input.name)?.origin === 'file') {
      throw new PatchbayError('request.conflict', {
        detail: `The connection ${input.name} is declared in patchbay.yaml.`,
        fix: 'Change it there, or choose another name.',
      });
    }
    const known: Known = { ...input, origin: 'store', isDefault: false };
    const { settings: schema, check } = this.#definition(known);
    const found = await check?.({ input: input.settings, use: this.parts.use });
    checkTypedSettings(known, schema, found);
    await this.#put(known, known.settings);
    await this.#letIn(input.name);
    return this.list().find((view) => view.name === input.name) as ConnectionView;
  }

  async remove(name: string): Promise<void> {
    if (this.#get(name).origin === 'file') {
      throw new PatchbayError('request.conflict', { detail: `The connection ${name} is declared in patchbay.yaml.` });
    }
    // While the connection is there, whatever failed can be done again.
    await this.parts.troubles.settle(name);
    const version = this.#versions.get(name);
    await this.parts.store.delete(name);
    // What was added again before the answer came is there; if it is not, the next look tells.
    if (this.#versions.get(name) === version) this.#lose(name);
    this.#written();
  }

  /**
   * Tries the settings out, and those that take their place meanwhile.
   *
   * @returns what the connector knows then
   * @throws whatever the other side says, with its code
   */
  async test(name: string, signal: AbortSignal): Promise<Pick<ConnectionView, 'status'>> {
    const known = this.#get(name);
    const turn = this.#clients.turn(name);
    let client: unknown;
    try {
      client = await this.client(name);
      await this.#clients.during(client, async () => this.#definition(known).test?.(client, signal));
    } catch (thrown) {
      await this.#blamed({ name, turn, client }, thrown);
      if (this.#clients.turn(name) === turn || signal.aborted) throw thrown;
    }
    if (this.#clients.turn(name) !== turn) return this.test(name, signal);
    if (this.parts.troubles.of(name) !== undefined) await this.parts.troubles.settle(name);
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
    const given = await this.#authorisation(known).redeem(this.#parse(known), grant, this.parts.http);
    await this.#put(withChanged(this.#get(name), given), given);
    await this.#letIn(name);
  }

  close(): Promise<void> {
    return this.#clients.close();
  }

  #needed(uses: string, definition: UsesConnection, asked: string | undefined): string | undefined {
    if (definition.connection === undefined) return undefined;
    const connector = uses.slice(0, uses.indexOf('.'));
    // An optional connection is used only when the flow names it: a default would surprise.
    if (definition.connectionOptional === true && asked === undefined) return undefined;
    const name = this.nameFor(connector, asked);
    if (name !== undefined) return name;
    throw new PatchbayError('connection.notFound', {
      detail: `${uses} needs a connection, and there is no default one for ${connector}.`,
      fix: `Name one with connection:, or mark one as default: true in patchbay.yaml.`,
    });
  }

  /** What a failure with a client, or to open one, means: that of the connection, if the other side refuses it, or the step's own. */
  async #blamed(
    { name, turn, client }: { name: string; turn: number; client: unknown },
    thrown: unknown,
  ): Promise<unknown> {
    if (!(thrown instanceof PatchbayError) || thrown.code !== 'connection.unauthorised') return thrown;
    if (client !== undefined && !this.#isRefused(name, client)) return thrown;
    // Somebody may have let the hub in meanwhile, perhaps in another process.
    await this.refresh();
    if (this.#clients.turn(name) !== turn) return replacedMeanwhile(name);
    const waiting = await this.parts.troubles.note(name, thrown);
    this.parts.log.warn('A connection needs authorisation; what needs it waits', {
      connection: name,
      reason: thrown.detail,
    });
    this.#written();
    return waiting;
  }

  #isRefused(name: string, client: unknown): boolean {
    const known = this.#known.get(name);
    return known !== undefined && this.#definition(known).needsAuthorisation?.(client) === true;
  }

  #trouble(name: string): Pick<ConnectionView, 'needsAuthorisation'> {
    const trouble = this.parts.troubles.of(name);
    return trouble === undefined ? {} : { needsAuthorisation: trouble };
  }

  #take(stored: VersionedConnection): void {
    this.#versions.set(stored.name, stored.version);
    const declared = this.parts.declared.find(({ name }) => name === stored.name);
    const known = this.#known.get(stored.name);
    if (declared === undefined) this.#know({ ...stored, isDefault: false, origin: 'store' });
    // A file cannot be written to: what a browser gave for one of its connections is kept beside it.
    else if (known?.connector === stored.connector) this.#know(this.#withGiven(known, stored.settings));
  }

  /** New settings: the old client goes, and what waits for the connection may try. */
  async #letIn(name: string): Promise<void> {
    this.#reopen(name);
    await this.parts.troubles.settle(name);
    this.#written();
  }

  #reopen(name: string): void {
    this.#clients.forget(name);
    this.#tellReopened(name);
  }

  #tellReopened(name: string): void {
    for (const listener of this.#whenReopened) listener(name);
  }

  #lose(name: string): void {
    this.#clients.forget(name);
    this.#known.delete(name);
    this.#versions.delete(name);
    this.#tellReopened(name);
  }

  #written(): void {
    for (const listener of this.#whenWritten) listener();
  }

  async #put(known: Known, given: Readonly<Record<string, unknown>>): Promise<void> {
    this.#knowWritten(known, await this.parts.store.put(storedOf(known, given)));
  }

  #knowWritten(known: Known, version: string): void {
    this.#versions.set(known.name, version);
    this.#know(known);
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

  #status(known: Known): { status?: Readonly<Record<string, unknown>> } {
    const client = this.#clients.of(known.name);
    if (client === undefined) return {};
    const status = this.#definition(known).status?.(client);
    return status === undefined ? {} : { status };
  }

  #get(name: string): Known {
    const known = this.#known.get(name);
    if (known) return known;
    throw new PatchbayError('connection.notFound', { detail: `There is no connection called ${name}.` });
  }

  #definition(known: Known): AnyConnection {
    const definition = this.parts.catalog.connectionOf(known.connector);
    if (definition === undefined) {
      throw new PatchbayError('connection.invalid', { detail: `${known.connector} takes no connection.` });
    }
    return definition;
  }

  #parse(known: Known): Record<string, unknown> {
    return checkedSettings(known, this.#definition(known).settings);
  }

  async #open(known: Known): Promise<unknown> {
    const { store, http, log, use, hub } = this.parts;
    const keep = settingsKeeper({
      store,
      opened: known,
      version: this.#versions.get(known.name),
      onKept: (kept, version, over) => {
        // What this process has come to know meanwhile is newer than the answer.
        if (this.#versions.get(known.name) === over) this.#knowWritten(kept, version);
        this.#written();
      },
    });
    const context = { name: known.name, http, log, use, keep, ...(hub !== undefined && { hub }) };
    return await this.#definition(known).open(this.#parse(known), context);
  }
}
