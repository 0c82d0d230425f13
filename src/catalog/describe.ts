import { z, type ConnectorDefinition, type ObjectSchema } from '#sdk';

export interface ConnectorDescription {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly connection?: { readonly title: string; readonly settings: unknown };
  readonly triggers: readonly PartDescription[];
  readonly actions: readonly PartDescription[];
}

interface PartDescription {
  readonly uses: string;
  readonly title: string;
  readonly summary: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly examples: readonly unknown[];
  readonly repeatable?: string;
}

/** A connector as plain data: what editors, forms and reference pages are made from. */
export function describeConnector(connector: ConnectorDefinition): ConnectorDescription {
  return {
    name: connector.name,
    title: connector.title,
    summary: connector.summary,
    ...(connector.connection && {
      connection: { title: connector.connection.title, settings: inputSchema(connector.connection.settings) },
    }),
    triggers: Object.entries(connector.triggers).map(([name, trigger]) => ({
      uses: `${connector.name}.${name}`,
      title: trigger.title,
      summary: trigger.summary,
      input: inputSchema(trigger.input),
      output: outputSchema(trigger.event),
      examples: trigger.examples,
    })),
    actions: Object.entries(connector.actions).map(([name, action]) => ({
      uses: `${connector.name}.${name}`,
      title: action.title,
      summary: action.summary,
      input: inputSchema(action.input),
      output: outputSchema(action.output),
      examples: action.examples,
      repeatable: action.repeatable,
    })),
  };
}

function inputSchema(schema: ObjectSchema): unknown {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

function outputSchema(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
}
