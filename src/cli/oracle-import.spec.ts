import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aTerminal, type Terminal } from '../../test/builders/terminal.js';
import { runCli } from './program.js';

describe('importing the job spec of a node', () => {
  let cwd: string;
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'patchbay-import-'));
    await cp(new URL('../../connectors/oracle/testing/jobs', import.meta.url), cwd, { recursive: true });
  });
  afterEach(() => rm(cwd, { recursive: true }));

  async function patchbay(...argv: string[]): Promise<{ exitCode: number; terminal: Terminal }> {
    const terminal = aTerminal({ cwd });
    return { exitCode: await runCli(['oracle', 'import', ...argv], terminal), terminal };
  }

  it('given a spec, when it is imported, then the flow goes to standard output, with the same in steps below', async () => {
    const { exitCode, terminal } = await patchbay(
      'get-uint256.toml',
      '--chain-urls',
      'public',
      '--connection',
      'oracle',
    );

    expect(exitCode).toBe(0);
    expect(terminal.stdout()).toMatch(/^# yaml-language-server.*\nname: get-uint256\n/);
    expect(terminal.stdout()).toMatch(/uses: oracle.pipeline\n {4}connection: oracle\n/);
    expect(terminal.stdout()).toMatch(
      /\n# The same in ordinary steps.*\n#\n# name: get-uint256\n[^]*# {5}uses: oracle.fulfill/,
    );
  });

  it('given a spec whose tasks go anywhere, when nobody has decided, then it is refused with file, line and column', async () => {
    const { exitCode, terminal } = await patchbay('get-uint256.toml');

    expect(exitCode).toBe(3);
    expect(terminal.stdout()).toBe('');
    expect(terminal.stderr()).toMatch(/^get-uint256.toml:17:55 {2}open-address {2}The task source goes to any address/);
    expect(terminal.stderr()).toMatch(/fix {2}Import with --chain-urls public/);
  });

  it('given --out, when it is imported, then the file is written, and never over another one', async () => {
    const { exitCode, terminal } = await patchbay('webhook.toml', '--out', 'tell.yaml');
    expect([exitCode, terminal.stdout().trim()]).toEqual([0, 'tell.yaml']);
    await expect(readFile(join(cwd, 'tell.yaml'), 'utf8')).resolves.toMatch(/\nname: tell\n[^]*uses: webhook.received/);
    expect((await patchbay('webhook.toml', '--out', 'tell.yaml')).exitCode).toBe(7);
  });

  it('given --as-flow, when it is imported, then it is only steps, or refused where they would do something else', async () => {
    const { terminal } = await patchbay('get-int256.toml', '--as-flow', '--chain-urls', 'public');
    expect(terminal.stdout()).not.toMatch(/oracle.pipeline/);
    expect((await patchbay('cron.toml', '--as-flow')).exitCode).toBe(1);
  });

  it('given a task that is not known, when it is imported, then its line is shown', async () => {
    await writeFile(
      join(cwd, 'bad.toml'),
      'type = "webhook"\nschemaVersion = 1\nobservationSource = """\n  a [type=vrf]\n"""\n',
    );
    const { exitCode, terminal } = await patchbay('bad.toml');

    expect(exitCode).toBe(3);
    expect(terminal.stderr()).toMatch(/^bad.toml:4:6 {2}unknown-task[^]*4 \| {3}a \[type=vrf\]/);
  });

  it('given no such file, when it is imported, then the exit code says so', async () => {
    expect((await patchbay('none.toml')).exitCode).toBe(4);
  });
});
