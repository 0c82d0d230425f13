import { parseArgs } from 'node:util';
import { onEndOfLife } from './end-of-life.js';
import { startSandbox, type SandboxLog } from './index.js';

// The sandbox as a process of its own. It prints one line of JSON on stdout when it is ready, logs on stderr, and ends with
// its parent.
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'chain-port': { type: 'string' },
    'block-time': { type: 'string' },
    'data-dir': { type: 'string' },
    activity: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    'activity-every': { type: 'string' },
  },
});

const write = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
  process.stderr.write(`${JSON.stringify({ level, time: new Date().toISOString(), message, ...printable(fields) })}\n`);
const log: SandboxLog = {
  info: values.quiet ? () => undefined : write('info'),
  warn: write('warn'),
  error: write('error'),
};

const starting = startSandbox({
  ...numberOf('port', values.port),
  ...numberOf('chainPort', values['chain-port']),
  ...numberOf('blockTimeSeconds', values['block-time']),
  ...numberOf('activityEveryMs', values['activity-every']),
  ...(values['data-dir'] !== undefined && { dataDir: values['data-dir'] }),
  activity: values.activity,
  log,
});

onEndOfLife(() => {
  starting
    .then((sandbox) => sandbox.stop())
    .then(
      () => process.exit(0),
      () => process.exit(1),
    );
});

try {
  const { url, chain, env } = await starting;
  chain.onEnd(() => process.exit(1));
  process.stdout.write(`${JSON.stringify({ ready: true, url, chainUrl: chain.url, chainWsUrl: chain.wsUrl, env })}\n`);
} catch (error) {
  log.error('The sandbox cannot start', { error });
  process.exit(1);
}

function numberOf<Name extends string>(name: Name, text: string | undefined): Partial<Record<Name, number>> {
  return text === undefined ? {} : ({ [name]: Number(text) } as Record<Name, number>);
}

function printable(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.message : value]),
  );
}
