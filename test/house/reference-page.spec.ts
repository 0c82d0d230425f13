import { describe, expect, it } from '@jest/globals';
import { connectorPage, connectorTable } from '../../scripts/pages/connector-page.js';
import { replaceBetweenMarks } from '../../scripts/pages/page.js';
import { address, defineAction, defineConnection, defineConnector, secret, z } from '#sdk';

const account = defineConnection({
  title: 'Account',
  summary: 'One account.',
  settings: z.object({ apiKey: secret().meta({ title: 'API key' }) }),
  open: () => ({}),
});

const notes = defineConnector({
  name: 'notes',
  title: 'Notes',
  summary: 'Keeps notes.',
  connection: account,
  triggers: {},
  actions: {
    addNote: defineAction({
      title: 'Add a note',
      summary: 'Adds a note.',
      connection: account,
      input: z.object({
        text: z.string().meta({ title: 'Text', examples: ['a | b'] }),
        kind: z.enum(['short', 'long']).default('short'),
        owner: address().optional(),
      }),
      output: z.object({ note: z.object({ id: z.string().meta({ description: 'Its id' }) }) }),
      examples: [{ text: 'hello' }],
      repeatable: 'The same note is not added twice.',
      run: () => ({ note: { id: '1' } }),
    }),
  },
});

describe('the reference page of a connector', () => {
  const { path, content } = connectorPage(notes);

  it('lies under the name of the connector', () => expect(path).toBe('docs/connectors/notes.md'));

  it.each([
    ['a secret setting', '| `apiKey` | secret | yes |  | API key. |'],
    ['a required input with its example', '| `text` | text | yes |  | Text. For example `a \\| b`. |'],
    ['choices and a default', '| `kind` | `short`, `long` |  | `"short"` |  |'],
    ['a nested output', '| `steps.<id>.note.id` | text | Its id. |'],
    ['what one may rely on', 'The same note is not added twice.'],
    ['an example as it stands in a flow', '- uses: notes.addNote\n  with:\n    text: hello'],
  ])('shows %s', (_what, line) => expect(content).toContain(line));

  it('shows an address as such', () => expect(content).toContain('| `owner` | address |'));
});

describe('the table of connectors', () => {
  it('links each page and names what it offers', () => {
    expect(connectorTable([notes])).toContain('| [Notes](docs/connectors/notes.md) |  | `notes.addNote` |');
  });
});

describe('a page that is generated in part', () => {
  it('given marks, then only what is between them is replaced', () => {
    const page = 'before\n<!-- list:start -->\nold\n<!-- list:end -->\nafter\n';

    const replaced = replaceBetweenMarks(page, 'list', 'new');

    expect(replaced).toBe('before\n<!-- list:start -->\n\nnew\n\n<!-- list:end -->\nafter\n');
  });

  it('given no marks, then it is an error rather than a page that stays old', () => {
    expect(() => replaceBetweenMarks('nothing here', 'list', 'new')).toThrow('list');
  });
});
