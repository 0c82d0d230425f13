import type { Vocabulary } from '#engine';
import type { AnyAction, AnyConnection, AnyTrigger, ConnectorDefinition } from '#sdk';

/** Every connector this hub knows, by the names that flows use. */
export class Catalog implements Vocabulary {
  readonly #connectors = new Map<string, ConnectorDefinition>();
  readonly #triggers = new Map<string, AnyTrigger>();
  readonly #actions = new Map<string, AnyAction>();

  constructor(connectors: readonly ConnectorDefinition[]) {
    for (const connector of connectors) this.#add(connector);
  }

  all(): readonly ConnectorDefinition[] {
    return [...this.#connectors.values()];
  }

  connector(name: string): ConnectorDefinition | undefined {
    return this.#connectors.get(name);
  }

  connectorOf(uses: string): ConnectorDefinition | undefined {
    return this.#connectors.get(uses.slice(0, uses.indexOf('.')));
  }

  connectionOf(connector: string): AnyConnection | undefined {
    return this.#connectors.get(connector)?.connection;
  }

  /** The connector whose connections are listed directly under this section of the configuration file. */
  connectorOfSection(section: string): ConnectorDefinition | undefined {
    return this.all().find((connector) => connector.section === section);
  }

  trigger(uses: string): AnyTrigger | undefined {
    return this.#triggers.get(uses);
  }

  action(uses: string): AnyAction | undefined {
    return this.#actions.get(uses);
  }

  triggerNames(): readonly string[] {
    return [...this.#triggers.keys()];
  }

  actionNames(): readonly string[] {
    return [...this.#actions.keys()];
  }

  connectors(): readonly string[] {
    return [...this.#connectors.keys()];
  }

  #add(connector: ConnectorDefinition): void {
    if (this.#connectors.has(connector.name)) {
      throw new Error(`Two connectors are called ${connector.name}; names in flows must mean one thing.`);
    }
    this.#connectors.set(connector.name, connector);
    for (const [name, trigger] of Object.entries(connector.triggers)) {
      this.#triggers.set(`${connector.name}.${name}`, trigger);
    }
    for (const [name, action] of Object.entries(connector.actions)) {
      this.#actions.set(`${connector.name}.${name}`, action);
    }
  }
}
