import { describe, expect, it } from '@jest/globals';
import { checkConnector } from './testing.js';
import { defineAction, defineConnection, defineTrigger, type ConnectorDefinition } from './define.js';
import { secret, z } from './schema.js';

const account = defineConnection({
  title: 'Account',
  settings: z.object({ apiKey: secret().optional(), url: z.url() }),
  open: () => ({}),
});

const added = defineTrigger({
  title: 'Note added',
  summary: 'Starts a run for every note.',
  connection: account,
  input: z.object({ folder: z.string() }),
  event: z.object({ id: z.string() }),
  examples: [{ folder: 'inbox' }],
  poll: () => Promise.resolve({ heard: [] }),
});

const add = defineAction({
  title: 'Add a note',
  summary: 'Adds a note.',
  connection: account,
  input: z.object({ text: z.string() }),
  output: z.object({ id: z.string() }),
  examples: [{ text: 'hello' }],
  repeatable: 'The same note is not added twice.',
  run: () => ({ id: '1' }),
});

const sound: ConnectorDefinition = {
  name: 'notes',
  title: 'Notes',
  summary: 'Keeps notes.',
  connection: account,
  triggers: { added },
  actions: { add },
};

describe('the conformance check', () => {
  it('given a connector that keeps every rule, then nothing is found', () => {
    expect(checkConnector(sound)).toEqual([]);
  });

  it.each<[rule: string, pointer: string, wrong: Partial<ConnectorDefinition>]>([
    ['name', '/name', { name: 'My-Notes' }],
    ['title', '/title', { title: 'Notes.' }],
    ['summary', '/summary', { summary: 'keeps notes' }],
    ['offers-nothing', '', { triggers: {}, actions: {}, connection: undefined as never }],
    ['name', '/actions/add_note', { actions: { add_note: add } }],
    ['no-example', '/actions/add/examples', { actions: { add: { ...add, examples: [] } } }],
    ['example', '/actions/add/examples/0', { actions: { add: { ...add, examples: [{ text: 'a', txet: 'b' }] } } }],
    ['example', '/actions/add/examples/0/text', { actions: { add: { ...add, examples: [{ text: 1 }] } } }],
    ['repeatable', '/actions/add/repeatable', { actions: { add: { ...add, repeatable: '' } } }],
    [
      'schema',
      '/actions/add/output/properties/at',
      { actions: { add: { ...add, output: z.object({ at: z.date() }) } } },
    ],
    ['one-way-to-hear', '/triggers/added', { triggers: { added: { ...added, listen: () => Promise.resolve() } } }],
    [
      'optional-connection',
      '/triggers/added/connectionOptional',
      { triggers: { added: { ...added, connectionOptional: true } } },
    ],
    [
      'finality-input',
      '/triggers/added/finality',
      { triggers: { added: { ...added, finality: { input: 'depth', shortfall: () => undefined } } } },
    ],
    ['open-secret', '/connection/settings/accessToken', openSecret(z.object({ accessToken: z.string().optional() }))],
    ['other-connection', '/add/connection', { triggers: {}, actions: { add: { ...add, connection: { ...account } } } }],
    [
      'unused-connection',
      '/connection',
      { triggers: {}, actions: { add: { ...add, connection: undefined as never } } },
    ],
  ])('given a connector that breaks "%s" at %s, then the fault names rule and place', (rule, pointer, wrong) => {
    const found = checkConnector({ ...sound, ...wrong }).map((fault) => [fault.rule, fault.pointer]);

    expect(found).toContainEqual([rule, pointer]);
  });
});

function openSecret(settings: z.ZodObject): Partial<ConnectorDefinition> {
  const connection = { ...account, settings };
  return { connection, triggers: {}, actions: { add: { ...add, connection } } };
}
