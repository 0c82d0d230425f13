import { existsSync } from 'node:fs';
import { stringify } from 'yaml';
import type { AnyAction, AnyTrigger, ConnectorDefinition } from '#sdk';
import { code, generatedBy, table, type Page } from './page.js';
import { inputFields, outputFields, type Field } from './schema-fields.js';

/** The reference page of one connector: everything on it comes from its definition. */
export function connectorPage(connector: ConnectorDefinition): Page {
  const sections = [
    `${generatedBy}\n\n# ${connector.title}\n\n${connector.summary}${setUpLink(connector.name)}`,
    ...connectionSection(connector),
    ...Object.entries(connector.triggers).map(([name, trigger]) =>
      triggerSection(`${connector.name}.${name}`, trigger),
    ),
    ...Object.entries(connector.actions).map(([name, action]) => actionSection(`${connector.name}.${name}`, action)),
  ];
  return { path: `docs/connectors/${connector.name}.md`, content: `${sections.join('\n\n')}\n` };
}

/** The table of the README. */
export function connectorTable(connectors: readonly ConnectorDefinition[]): string {
  const names = (connector: ConnectorDefinition, parts: object) =>
    Object.keys(parts)
      .map((name) => code(`${connector.name}.${name}`))
      .join(', ');
  return table(
    ['Connector', 'Hears', 'Does'],
    connectors.map((connector) => [
      `[${connector.title}](docs/connectors/${connector.name}.md)`,
      names(connector, connector.triggers),
      names(connector, connector.actions),
    ]),
  );
}

function setUpLink(name: string): string {
  const guide = `connectors/${name}/README.md`;
  return existsSync(guide) ? ` [How to set it up](../../${guide}).` : '';
}

function connectionSection({ name, section, connection }: ConnectorDefinition): string[] {
  if (connection === undefined) return [];
  const where =
    section === undefined
      ? `Under \`connections:\` in \`patchbay.yaml\`, by name, with \`connector: ${name}\` and these settings; or added through the API.`
      : `Under \`${section}:\` in \`patchbay.yaml\`, by name.`;
  return [
    [
      '## Connection',
      connection.title + (connection.summary === undefined ? '.' : `: ${lowerFirst(connection.summary)}`),
      `${where} A secret is never written there: give \`{ env: NAME }\` or \`{ file: PATH }\`.`,
      fieldTable(inputFields(connection.settings)),
    ].join('\n\n'),
  ];
}

function triggerSection(uses: string, trigger: AnyTrigger): string {
  return [
    `## ${code(uses)}`,
    `Trigger. ${trigger.title}. ${trigger.summary}${connectionNote(trigger)}`,
    fieldTable(inputFields(trigger.input)),
    '### The event',
    outputTable(outputFields(trigger.event), 'event'),
    '### Examples',
    examples(uses, trigger.examples, 'trigger'),
  ].join('\n\n');
}

function actionSection(uses: string, action: AnyAction): string {
  return [
    `## ${code(uses)}`,
    `Action. ${action.title}. ${action.summary}${connectionNote(action)}`,
    fieldTable(inputFields(action.input)),
    '### What it gives',
    outputTable(outputFields(action.output), 'steps.<id>'),
    '### When it is done again',
    action.repeatable +
      (action.movesValue === undefined || action.isReply === true
        ? ''
        : ' It writes to a chain, where nothing can be undone: a trigger that hears a chain then waits until what it hears is final, unless it is [told otherwise](../concepts.md#finality).'),
    '### Examples',
    examples(uses, action.examples, 'step'),
  ].join('\n\n');
}

function connectionNote(part: AnyTrigger | AnyAction): string {
  if (part.connection === undefined) return ' It needs no connection.';
  return part.connectionOptional === true ? ' The connection may be left out.' : '';
}

function fieldTable(fields: readonly Field[]): string {
  if (fields.length === 0) return 'It has no inputs.';
  return table(
    ['Input', 'Type', 'Required', 'Default', 'Meaning'],
    fields.map((field) => [
      code(field.name),
      field.type,
      field.isRequired ? 'yes' : '',
      field.default === '' ? '' : code(field.default),
      field.description,
    ]),
  );
}

function outputTable(fields: readonly Field[], scope: string): string {
  if (fields.length === 0) return `One value: ${code(scope)}.`;
  return table(
    ['Field', 'Type', 'Meaning'],
    fields.map((field) => [code(`${scope}.${field.name}`), field.type, field.description]),
  );
}

function examples(uses: string, inputs: readonly unknown[], kind: 'trigger' | 'step'): string {
  return inputs
    .map((input) => {
      const part = { uses, ...(isEmpty(input) ? {} : { with: input }) };
      const yaml = stringify(kind === 'trigger' ? { trigger: part } : [part], { lineWidth: 0 });
      return `\`\`\`yaml\n${yaml.trimEnd()}\n\`\`\``;
    })
    .join('\n\n');
}

function isEmpty(input: unknown): boolean {
  return Object.keys(input as object).length === 0;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
