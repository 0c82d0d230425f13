import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { valueVocabulary as vocabulary } from '../engine/testing/flow-runs.js';
import { lintCommand } from './lint.command.js';
import { testCommand } from './test.command.js';

let cwd: string;
let printed: string[];
const io = () => ({
  out: (text: string) => printed.push(text),
  err: (text: string) => printed.push(text),
  cwd,
  isTerminal: false,
});

const good = 'name: good\ntrigger: { uses: test.heard }\nsteps:\n  - { id: a, uses: test.notify }\n';
const aTest = (run: string) => `flow: good.yaml\ntests:\n  - name: runs\n    when: {}\n    then: { run: ${run} }\n`;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'patchbay-cli-'));
  printed = [];
  await writeFile(join(cwd, 'good.yaml'), good);
});
afterEach(() => rm(cwd, { recursive: true }));

describe('patchbay lint', () => {
  it('given a clean folder, when it is linted, then the code is 0', async () => {
    expect(await lintCommand(['.'], { vocabulary }, io())).toBe(0);
    expect(printed).toEqual(['1 file, no faults']);
  });

  it('given a fault, when it is linted, then it is shown with its line and a caret, and the code is 3', async () => {
    await writeFile(join(cwd, 'bad.yaml'), good.replace('test.notify', 'test.notfy'));
    expect(await lintCommand(['.'], { vocabulary }, io())).toBe(3);
    expect(printed[0]).toBe(
      [
        'bad.yaml:4:20  unknown-action  The connector test has no action notfy.',
        '  4 |   - { id: a, uses: test.notfy }',
        '    |                    ^',
        '    fix  Did you mean test.notify?',
      ].join('\n'),
    );
    printed = [];
    await lintCommand(['bad.yaml'], { vocabulary, format: 'github' }, io());
    expect(printed).toEqual([
      '::error file=bad.yaml,line=4,col=20,title=unknown-action::The connector test has no action notfy. Did you mean test.notify?',
    ]);
    printed = [];
    await lintCommand(['bad.yaml'], { vocabulary, json: true }, io());
    expect(JSON.parse(printed.join(''))).toMatchObject({ files: 1, faults: [{ line: 4, column: 20 }] });
  });

  it('given a file that cannot be read, when it is linted or its tests run, then that is told, and the others are looked at', async () => {
    await symlink(join(cwd, 'nowhere'), join(cwd, 'gone.yaml'));
    await symlink(join(cwd, 'nowhere'), join(cwd, 'gone.test.yaml'));
    await symlink(join(cwd, 'good.yaml'), join(cwd, 'linked.yaml'));

    expect(await lintCommand(['.'], { vocabulary }, io())).toBe(3);
    expect(printed).toEqual([
      expect.stringMatching(/^gone\.test\.yaml:1:1 {2}unreadable {2}gone\.test\.yaml cannot be read: .*ENOENT/),
      expect.stringMatching(/^gone\.yaml:1:1 {2}unreadable {2}gone\.yaml cannot be read: .*ENOENT/),
      '4 files, 2 faults',
    ]);
    expect(await testCommand(['.'], { vocabulary }, io())).toBe(3);
  });

  it('given a risk, when it is linted, then it is shown as a warning, and only fails when it is strict', async () => {
    const risky =
      'name: risky\ntrigger: { uses: value.mined, with: { confirmations: 1 } }\nsteps: [{ uses: value.pay }]\n';
    await writeFile(join(cwd, 'risky.yaml'), risky);

    expect(await lintCommand(['risky.yaml'], { vocabulary }, io())).toBe(0);
    expect(printed).toEqual([
      '1 file, no faults, 1 warning',
      [
        'risky.yaml:2:54  warning less-than-final  One block is few.',
        '  2 | gger: { uses: value.mined, with: { confirmations: 1 } }',
        '    |                                                   ^',
        '    fix  Wait.',
      ].join('\n'),
    ]);
    expect(await lintCommand(['risky.yaml'], { vocabulary, strict: true }, io())).toBe(3);
    printed = [];
    await lintCommand(['risky.yaml'], { vocabulary, format: 'github' }, io());
    expect(printed).toEqual(['::warning file=risky.yaml,line=2,col=54,title=less-than-final::One block is few. Wait.']);
    printed = [];
    await lintCommand(['risky.yaml'], { vocabulary, json: true }, io());
    expect(JSON.parse(printed.join(''))).toMatchObject({ faults: [], warnings: [{ line: 2, severity: 'warning' }] });
  });

  it('given a hub that tells the same, when it is linted, then it is told once; what nobody could be asked is no fault', async () => {
    const risky =
      'name: risky\ntrigger: { uses: value.mined, with: { confirmations: 1 } }\nsteps: [{ uses: value.pay }]\n';
    await writeFile(join(cwd, 'risky.yaml'), risky);
    const again = { pointer: '#/trigger/with/confirmations', detail: 'One block is few.', rule: 'less-than-final' };
    const unasked = { pointer: '#/steps/0', detail: 'Nobody was there.', rule: 'not-checked' };

    await lintCommand(
      ['risky.yaml'],
      { vocabulary, ask: () => Promise.resolve({ faults: [], warnings: [again] }) },
      io(),
    );
    expect(printed[0]).toBe('1 file, no faults, 1 warning');
    const ask = () => Promise.resolve({ faults: [], warnings: [unasked] });
    expect(await lintCommand(['good.yaml'], { vocabulary, ask, strict: true }, io())).toBe(0);
  });

  it('given a path that does not exist, when it is linted, then the code is 4', async () => {
    expect(await lintCommand(['nowhere'], { vocabulary }, io())).toBe(4);
  });
});

describe('patchbay test', () => {
  it.each([
    ['completed', 0, '1 passed, 0 failed, in 1 file'],
    ['ignored', 1, '0 passed, 1 failed, in 1 file'],
    ['nonsense', 3, '0 passed, 0 failed, in 1 file'],
  ])('given a test that expects %s, when it runs, then the code is %d', async (run, code, summary) => {
    await writeFile(join(cwd, 'good.test.yaml'), aTest(run));
    expect(await testCommand(['.'], { vocabulary }, io())).toBe(code);
    expect(printed.at(-1)).toBe(summary);
  });

  it('given a test of a flow that is not there, when it runs, then the line that names it is a fault', async () => {
    await writeFile(join(cwd, 'good.test.yaml'), aTest('completed').replace('good.yaml', 'gone.yaml'));
    expect(await testCommand(['.'], { vocabulary, json: true }, io())).toBe(3);
    expect(JSON.parse(printed.join('')).files[0].faults[0]).toMatchObject({ rule: 'unknown-file', line: 1, column: 7 });
  });
});
