import type { AnyAction, AnyConnection, AnyTrigger, ConnectorDefinition, ObjectSchema } from './define.js';
import type { Fault } from './error.js';
import { z } from './schema.js';

/**
 * What every connector must keep, built in or from a third party: names, sentences, examples that work, schemas that can be
 * shown, secrets that are marked. An empty list means that it conforms.
 */
export function checkConnector(connector: ConnectorDefinition): readonly Fault[] {
  return [
    ...checkName('/name', connector.name, /^[a-z][a-z0-9]*$/, 'one lower-case word'),
    ...checkWords('', connector),
    ...(connector.connection === undefined ? [] : checkConnection('/connection', connector.connection)),
    ...checkUse(connector),
    ...Object.entries(connector.triggers).flatMap(([name, trigger]) =>
      checkTrigger(`/triggers/${name}`, name, trigger),
    ),
    ...Object.entries(connector.actions).flatMap(([name, action]) => checkAction(`/actions/${name}`, name, action)),
  ];
}

function checkUse({ connection, triggers, actions }: ConnectorDefinition): Fault[] {
  const parts = [...Object.entries(triggers), ...Object.entries(actions)];
  if (parts.length === 0) return [fault('', 'offers-nothing', 'There is neither a trigger nor an action.')];
  const strangers = parts.filter(([, part]) => part.connection !== undefined && part.connection !== connection);
  const isUnused = connection !== undefined && parts.every(([, part]) => part.connection === undefined);
  return [
    ...strangers.map(([name]) =>
      fault(`/${name}/connection`, 'other-connection', 'A part uses the connection that its connector names, or none.'),
    ),
    ...(isUnused ? [fault('/connection', 'unused-connection', 'No trigger and no action uses the connection.')] : []),
  ];
}

const modes = ['listen', 'poll', 'receive', 'schedule'] as const;

function checkTrigger(pointer: string, name: string, trigger: AnyTrigger): Fault[] {
  const given = modes.filter((mode) => trigger[mode] !== undefined);
  const faults = [...checkPart(pointer, name, trigger), ...checkSchema(`${pointer}/event`, trigger.event, 'output')];
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.join(' and ');
    faults.push(fault(pointer, 'one-way-to-hear', `It needs exactly one of ${modes.join(', ')}; it has ${has}.`));
  }
  if (trigger.backfill !== undefined && trigger.listen === undefined) {
    faults.push(fault(`${pointer}/backfill`, 'backfill-without-listen', 'Only what listens can read the past.'));
  }
  if (trigger.pollEveryMs !== undefined && trigger.poll === undefined) {
    faults.push(fault(`${pointer}/pollEveryMs`, 'interval-without-poll', 'Only what polls has an interval.'));
  }
  const waits = trigger.finality?.input;
  if (waits !== undefined && !Object.hasOwn(trigger.input.shape, waits)) {
    faults.push(
      fault(`${pointer}/finality`, 'finality-input', `There is no input ${waits} that says how long to wait.`),
    );
  }
  if (trigger.connectionOptional === true && trigger.receive === undefined) {
    faults.push(fault(`${pointer}/connectionOptional`, 'optional-connection', 'Only what receives can do without.'));
  }
  return faults;
}

function checkAction(pointer: string, name: string, action: AnyAction): Fault[] {
  return [
    ...checkPart(pointer, name, action),
    ...checkSchema(`${pointer}/output`, action.output, 'output'),
    ...(isSentence(action.repeatable)
      ? []
      : [fault(`${pointer}/repeatable`, 'repeatable', 'Say in whole sentences what happens when it is done again.')]),
  ];
}

/** What triggers and actions have in common. */
function checkPart(pointer: string, name: string, part: AnyTrigger | AnyAction): Fault[] {
  const input = part.input;
  const faults = [
    ...checkName(pointer, name, camelCase, 'camelCase'),
    ...checkWords(pointer, part),
    ...checkFields(`${pointer}/input`, input),
    ...checkSchema(`${pointer}/input`, input, 'input'),
    ...checkExamples(`${pointer}/examples`, input, part.examples),
  ];
  if (part.connectionOptional === true && part.connection === undefined) {
    faults.push(fault(`${pointer}/connectionOptional`, 'optional-connection', 'There is no connection to leave out.'));
  }
  return faults;
}

function checkConnection(pointer: string, connection: AnyConnection): Fault[] {
  const settings = connection.settings;
  const open = Object.entries(settings.shape).filter(([name, schema]) => soundsSecret(name) && isText(schema));
  return [
    ...checkTitle(pointer, connection.title),
    ...checkFields(`${pointer}/settings`, settings),
    ...checkSchema(`${pointer}/settings`, settings, 'input'),
    ...open.map(([name]) =>
      fault(`${pointer}/settings/${name}`, 'open-secret', 'It sounds like a secret but is shown to everybody.', {
        fix: 'Declare it with secret().',
      }),
    ),
  ];
}

function checkExamples(pointer: string, input: ObjectSchema, examples: readonly unknown[]): Fault[] {
  if (examples.length === 0) return [fault(pointer, 'no-example', 'There is no example.')];
  // A schema that takes unknown fields on purpose says so itself; any other must not drop a misspelt one.
  const strict = input.def.catchall === undefined ? input.strict() : input;
  return examples.flatMap((example, index) =>
    (strict.safeParse(example).error?.issues ?? []).map(({ path, message }) =>
      fault([pointer, index, ...path.map(String)].join('/'), 'example', `The input does not take it: ${message}`),
    ),
  );
}

// Neither JSON nor YAML has these, so no flow could give them and no page could show them.
const unknownToJson = new Set([
  'date',
  'map',
  'set',
  'symbol',
  'undefined',
  'void',
  'function',
  'promise',
  'nan',
  'file',
]);

function checkSchema(pointer: string, schema: z.ZodType, io: 'input' | 'output'): Fault[] {
  const faults: Fault[] = [];
  try {
    z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema, path }) => {
        const { type } = zodSchema._zod.def;
        if (unknownToJson.has(type)) {
          faults.push(fault([pointer, ...path].join('/'), 'schema', `JSON has no ${type}; use text.`));
        }
      },
    });
  } catch (error) {
    faults.push(fault(pointer, 'schema', `It cannot be shown as JSON schema: ${String(error)}`));
  }
  return faults;
}

const camelCase = /^[a-z][a-zA-Z0-9]*$/;

function checkFields(pointer: string, schema: ObjectSchema): Fault[] {
  return Object.keys(schema.shape).flatMap((name) => checkName(`${pointer}/${name}`, name, camelCase, 'camelCase'));
}

function checkName(pointer: string, name: string, pattern: RegExp, kind: string): Fault[] {
  return pattern.test(name) ? [] : [fault(pointer, 'name', `The name ${name} is not ${kind}.`)];
}

function checkWords(pointer: string, { title, summary }: { title: string; summary: string }): Fault[] {
  const isGood = isSentence(summary);
  return [
    ...checkTitle(pointer, title),
    ...(isGood
      ? []
      : [fault(`${pointer}/summary`, 'summary', 'The summary is a sentence: capital letter, full stop.')]),
  ];
}

function checkTitle(pointer: string, title: string): Fault[] {
  const isGood = title.trim() !== '' && !title.endsWith('.');
  return isGood ? [] : [fault(`${pointer}/title`, 'title', 'The title is a few words without a full stop.')];
}

function isSentence(text: string): boolean {
  return /^[\p{Lu}`"].*[.]$/su.test(text);
}

function soundsSecret(name: string): boolean {
  return (
    /(key|secret|password|passphrase|token|mnemonic|seed)$/i.test(name) && !/^(public|primary|external)/i.test(name)
  );
}

/** Whether a person could type a secret into it as plain text. */
function isText(schema: unknown): boolean {
  const inner = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? schema.unwrap() : schema;
  return inner instanceof z.ZodString || inner instanceof z.ZodStringFormat;
}

function fault(pointer: string, rule: string, detail: string, more: Partial<Fault> = {}): Fault {
  return { pointer, rule, detail, ...more };
}
