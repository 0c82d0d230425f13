import { spawn } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes, type ExitCode } from './exit-code.js';
import { CommandError, UsageError } from './failure.js';
import type { Session } from './session.js';

/** A flow that works as it stands, and its test. */
export async function newFlow(name: string, session: Session): Promise<void> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new UsageError(
      `${name} is no name for a flow.`,
      'Use lower-case letters, digits and hyphens, as in large-transfer.',
    );
  }
  const folder = session.io.env['PATCHBAY_FLOWS_DIR'] ?? 'flows';
  const files = { [join(folder, `${name}.yaml`)]: flowText(name), [join(folder, `${name}.test.yaml`)]: testText(name) };
  for (const file of Object.keys(files)) {
    if (await exists(resolve(session.io.cwd, file)))
      throw new CommandError(exitCodes.conflict, `${file} exists already.`);
  }
  await mkdir(resolve(session.io.cwd, folder), { recursive: true });
  for (const [file, text] of Object.entries(files))
    await writeFile(resolve(session.io.cwd, file), text, { flag: 'wx' });
  session.show({ files: Object.keys(files) }, () => Object.keys(files).join('\n'));
  session.note(
    `Next: change it, then npx patchbay lint && npx patchbay test. A running hub takes it up at once, at POST /hooks/${name}.`,
  );
}

/** Only where connectors are made: in a checkout of Patchbay. */
export async function newConnector(name: string, session: Session): Promise<ExitCode> {
  const script = fileURLToPath(new URL('../../scripts/new-connector.js', import.meta.url));
  if (!(await exists(script)) || !(await exists(resolve(session.io.cwd, 'connectors/index.ts')))) {
    throw new CommandError(
      exitCodes.notFound,
      'New connectors are made in a checkout of Patchbay, and this folder is none.',
      'Clone it and run this there.',
    );
  }
  const child = spawn(process.execPath, [script, name], { cwd: session.io.cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8').on('data', (text: string) => session.note(text.trimEnd()));
  const code = await new Promise<number>((resolveCode) => child.once('close', (ended) => resolveCode(ended ?? 1)));
  if (code !== 0) return exitCodes.failed;
  session.show({ connector: name }, () => `connectors/${name}`);
  return exitCodes.done;
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

function flowText(name: string): string {
  return `# yaml-language-server: $schema=../docs/flow.schema.json
name: ${name}
description: Hands what a webhook brings to another address.

trigger:
  uses: webhook.received
  where:
    event.body.id: { exists: true }

steps:
  - id: forward
    uses: http.request
    with:
      method: POST
      url: https://api.example.com/orders
      body:
        id: "{{event.body.id}}"
        text: "Order {{event.body.id}} was received."

idempotencyKey: "{{event.body.id}}"
`;
}

function testText(name: string): string {
  return `flow: ${name}.yaml

tests:
  - name: what the webhook brings is handed on
    given:
      steps.forward: { status: 201, headers: {}, body: {} }
    when:
      body: { id: A-1 }
    then:
      run: completed
      calls:
        - http.request:
            method: POST
            url: https://api.example.com/orders
            body: { id: A-1, text: Order A-1 was received. }

  - name: a webhook without an id starts no run
    when:
      body: {}
    then:
      run: ignored
`;
}
