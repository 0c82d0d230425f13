import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Fault } from '#sdk';
import { flowOfSpec, type FlowOptions } from '../../connectors/oracle/pipeline/flow-of-spec.js';
import { plainFlowOf } from '../../connectors/oracle/pipeline/plain-flow.js';
import { parseJobSpec } from '../../connectors/oracle/pipeline/spec.js';
import { commented } from '../../connectors/oracle/pipeline/yaml-text.js';
import { exitCodes, type ExitCode } from './exit-code.js';
import { CommandError } from './failure.js';
import { faultText } from './fault-text.js';
import type { Session } from './session.js';

export interface OracleImportOptions {
  readonly name?: string;
  readonly connection?: string;
  readonly job?: string;
  readonly chainUrls?: 'public' | 'allowed';
  readonly asFlow?: boolean;
  readonly out?: string;
}

/** Makes a flow of a job spec; faults and warnings with their places, on the side of the notes. */
export async function importJobSpec(file: string, options: OracleImportOptions, session: Session): Promise<ExitCode> {
  const text = await read(file, session);
  const { spec, faults, warnings } = parseJobSpec(text, file);
  const found = (list: readonly Fault[]) => list.map((fault) => faultText(fault, text, session.files)).join('\n');
  if (!spec) return refuse(faults, found, session);
  if (warnings.length > 0) session.note(found(warnings));
  const wanted = flowOptions(spec.name, file, options);
  const made = flowOfSpec(spec, wanted);
  if ('faults' in made) return refuse(made.faults, found, session);
  const plain = plainFlowOf(spec, wanted);
  if (options.asFlow === true && plain === undefined) {
    throw new CommandError(
      exitCodes.failed,
      `What ${file} does cannot be said in ordinary steps.`,
      'Leave --as-flow away: then the flow has the spec as it is.',
    );
  }
  const flow = options.asFlow === true ? plain! : made.text + equivalent(plain);
  if (options.out === undefined) {
    session.show({ flow, warnings }, () => flow.trimEnd());
    return exitCodes.done;
  }
  await write(options.out, flow, session);
  session.show({ file: options.out, warnings }, () => options.out!);
  session.note(`Next: npx patchbay lint ${options.out}`);
  return exitCodes.done;
}

function refuse(faults: readonly Fault[], found: (list: readonly Fault[]) => string, session: Session): ExitCode {
  if (session.isJson) session.show({ faults }, () => '');
  else session.io.err(found(faults));
  return exitCodes.faults;
}

function flowOptions(name: string | undefined, file: string, options: OracleImportOptions): FlowOptions {
  const named = options.name ?? (options.out === undefined ? undefined : basename(options.out).replace(/\.ya?ml$/, ''));
  return {
    name: named ?? flowName(name ?? basename(file).replace(/\.toml$/, '')),
    file: basename(file),
    connection: options.connection,
    job: options.job,
    chainUrls: options.chainUrls,
  };
}

function flowName(text: string): string {
  const words = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[-0-9]+|-+$/g, '');
  return words === '' ? 'job' : words;
}

function equivalent(plain: string | undefined): string {
  if (plain === undefined) return '';
  return `\n# The same in ordinary steps, which are easier to change and to test (patchbay oracle import --as-flow):\n#\n${commented(plain)}\n`;
}

async function read(file: string, session: Session): Promise<string> {
  try {
    return await readFile(resolve(session.io.cwd, file), 'utf8');
  } catch {
    throw new CommandError(exitCodes.notFound, `There is no file ${file} that can be read.`);
  }
}

async function write(file: string, text: string, session: Session): Promise<void> {
  try {
    await writeFile(resolve(session.io.cwd, file), text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(exitCodes.conflict, `${file} exists already.`);
  }
}
