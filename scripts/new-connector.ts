/**
 * `npm run new:connector acme`: a connector with one trigger and one action that compiles and passes the conformance check.
 * `--root` names another checkout than the one in the working folder.
 */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { root: { type: 'string', default: '.' } },
});
const [name = ''] = positionals;

if (!/^[a-z][a-z0-9]*$/.test(name)) {
  fail('Give the connector a name: one lower-case word, as in `npm run new:connector acme`.');
} else if (await exists(join(values.root, 'connectors', name))) {
  fail(`connectors/${name} exists already.`);
} else {
  await create(values.root, name);
}

async function create(root: string, connector: string): Promise<void> {
  const folder = join(root, 'connectors', connector);
  await mkdir(folder, { recursive: true });
  const files = connectorFiles(connector);
  for (const [file, text] of Object.entries(files)) await writeInHouseStyle(join(folder, file), text);
  await addToList(join(root, 'connectors/index.ts'), connector);
  console.log(`Wrote connectors/${connector}/: ${Object.keys(files).join(', ')}, and its line in connectors/index.ts.`);
  console.log('Next: put your API in place of the example, then `npm run generate` and `npm run check`.');
}

/** Keeps imports and list in order, so that two new connectors seldom touch the same line. */
async function addToList(file: string, connector: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const line = `import ${connector} from './${connector}/index.js';`;
  const imports = [...text.matchAll(/^import \w+ from '\.\/\w+\/index\.js';$/gm)].map(([found]) => found);
  const next = imports.find((other) => other > line);
  const last = imports.at(-1);
  if (last === undefined) throw new Error('connectors/index.ts imports no connector.');
  const withImport =
    next === undefined ? text.replace(last, `${last}\n${line}`) : text.replace(next, `${line}\n${next}`);
  await writeInHouseStyle(file, withImport.replace(/\s*,?\s*\];/, `, ${connector}];`));
}

async function writeInHouseStyle(file: string, text: string): Promise<void> {
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

function connectorFiles(connector: string): Record<string, string> {
  const title = connector.charAt(0).toUpperCase() + connector.slice(1);
  const account = `${connector}Account`;
  const client = `${title}Client`;
  return {
    'index.ts': `import { defineConnector } from '#sdk';
import { ${account} } from './connection.js';
import { addNote } from './add-note.action.js';
import { noteAdded } from './note-added.trigger.js';

export default defineConnector({
  name: '${connector}',
  title: '${title}',
  summary: 'Adds notes, and hears of new ones.',
  connection: ${account},
  triggers: { noteAdded },
  actions: { addNote },
});
`,
    'connection.ts': `import { defineConnection, secret, z } from '#sdk';
import { ${client} } from './${connector}.client.js';

export const ${account} = defineConnection({
  title: '${title} account',
  settings: z.object({
    url: z.url().meta({ title: 'Address', examples: ['https://api.${connector}.example'] }),
    apiKey: secret().meta({ title: 'API key' }),
  }),
  open: ({ url, apiKey }, { http }) => new ${client}(url, apiKey, http),
});
`,
    [`${connector}.client.ts`]: `import { z, type HttpClient, type Secret } from '#sdk';

const note = z.object({ id: z.string(), text: z.string() });
export type Note = z.output<typeof note>;

/** Speaks to one account; errors arrive with codes already, because the SDK's HTTP client made them. */
export class ${client} {
  constructor(
    private readonly url: string,
    private readonly apiKey: Secret,
    private readonly http: HttpClient,
  ) {}

  async add(text: string, idempotencyKey: string, signal: AbortSignal): Promise<Note> {
    const { body } = await this.http.request({
      method: 'POST',
      url: \`\${this.url}/notes\`,
      headers: { ...this.authorization(), 'idempotency-key': idempotencyKey },
      body: { text },
      signal,
    });
    return note.parse(body);
  }

  /** Oldest first. */
  async listAfter(id: string | undefined, signal: AbortSignal): Promise<readonly Note[]> {
    const after = id === undefined ? '' : \`?after=\${encodeURIComponent(id)}\`;
    const { body } = await this.http.request({ url: \`\${this.url}/notes\${after}\`, headers: this.authorization(), signal });
    return z.array(note).parse(body);
  }

  private authorization(): Record<string, string> {
    return { authorization: \`Bearer \${this.apiKey.reveal()}\` };
  }
}
`,
    'add-note.action.ts': `import { defineAction, z } from '#sdk';
import { ${account} } from './connection.js';

export const addNote = defineAction({
  title: 'Add a note',
  summary: 'Adds a note to the account.',
  connection: ${account},
  input: z.object({ text: z.string().min(1).meta({ title: 'Text' }) }),
  output: z.object({ id: z.string().meta({ description: 'Id of the note' }) }),
  examples: [{ text: 'A large transfer arrived.' }],
  repeatable: 'Every attempt carries the same Idempotency-Key, so that the note is added once.',
  async run({ input, client, idempotencyKey, signal }) {
    const { id } = await client.add(input.text, idempotencyKey, signal);
    return { id };
  },
});
`,
    'note-added.trigger.ts': `import { defineTrigger, z } from '#sdk';
import { ${account} } from './connection.js';

export const noteAdded = defineTrigger({
  title: 'Note added',
  summary: 'Starts a run for every new note of the account.',
  connection: ${account},
  input: z.object({}),
  event: z.object({ id: z.string(), text: z.string() }),
  examples: [{}],
  pollEveryMs: 30_000,
  async poll({ client, cursor, signal }) {
    const notes = await client.listAfter(cursor, signal);
    return { heard: notes.map((note) => ({ id: note.id, event: note })) };
  },
});
`,
    'add-note.action.spec.ts': `import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callAction } from '../../test/builders/action-call.js';
import { addNote } from './add-note.action.js';

describe('${connector}.addNote', () => {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers['idempotency-key']);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: '1', text: 'hello' }));
  });

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('given an account, when a note is added twice, then both calls carry the same key', async () => {
    const { port } = server.address() as AddressInfo;
    const settings = { url: \`http://127.0.0.1:\${port}\`, apiKey: 'key' };

    const first = await callAction(addNote, { settings, with: { text: 'hello' }, idempotencyKey: 'run:step' });
    await callAction(addNote, { settings, with: { text: 'hello' }, idempotencyKey: 'run:step', attempt: 2 });

    expect(first).toEqual({ id: '1' });
    expect(keys).toEqual(['run:step', 'run:step']);
  });
});
`,
    'README.md': `# ${title}

What one needs to do on the other side, step by step, until the connection works:

1. Sign in to ${title} and make an API key.
2. Put it into the environment as \`${connector.toUpperCase()}_API_KEY\`.
3. Add the connection to \`patchbay.yaml\`:

   \`\`\`yaml
   connections:
     ${connector}:
       connector: ${connector}
       url: https://api.${connector}.example
       apiKey: { env: ${connector.toUpperCase()}_API_KEY }
   \`\`\`

The inputs and outputs are on the [reference page](../../docs/connectors/${connector}.md), which is generated.
`,
  };
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
