import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { hasFaults, reportOf, tableOf, type Line } from './report.js';
import { scenarios } from './scenarios/index.js';
import { summariseProfiles } from './profile.js';
import { openBench, type Backend } from './setup/bench.js';
import { Cleanup } from './setup/cleanup.js';
import { hasRedis } from './setup/redis.js';

const usage = `npm run bench -- [scenario …] [--backend postgres|redis] [--quick] [--json file] [--profile folder]

Scenarios: ${Object.keys(scenarios).join(', ')}. All of them without a name; on every queue backend there is without --backend.
--quick takes a tenth of the events: to see that all is well, not to compare.`;

const cleanup = new Cleanup();
let isStopping = false;
process.on('SIGINT', () => stop(130));
process.on('SIGTERM', () => stop(143));

try {
  process.exit(await main());
} catch (error) {
  await cleanup.run();
  console.error(error);
  process.exit(1);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((name) => scenarios[name] === undefined);
  if (values.help || unknown.length > 0) {
    console.error(unknown.length > 0 ? `There is no scenario ${unknown.join(', ')}.\n\n${usage}` : usage);
    return values.help ? 0 : 2;
  }
  const backends = backendsFor(values.backend);
  const profileFolder = values.profile === undefined ? undefined : resolve(values.profile);
  if (profileFolder !== undefined) await mkdir(profileFolder, { recursive: true });

  const bench = await openBench({ profileFolder, isQuick: values.quick }, cleanup);
  const lines: Line[] = [];
  for (const name of positionals.length > 0 ? positionals : Object.keys(scenarios)) {
    const scenario = scenarios[name];
    if (scenario === undefined) continue;
    for (const backendName of scenario.usesQueue ? backends : backends.slice(0, 1)) {
      process.stderr.write(`${name}${scenario.usesQueue ? ` on ${backendName}` : ''}\n`);
      const backend = await bench.openBackend(backendName);
      const ofScenario = new Cleanup();
      cleanup.add(name, () => ofScenario.run());
      const measured = await scenario.run({ ...bench, cleanup: ofScenario }, backend);
      await ofScenario.run();
      lines.push(...measured);
      // Before the next one begins, so that an interrupted bench has told what it knows.
      process.stderr.write(`${tableOf(measured)}\n\n`);
      if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(reportOf(lines), null, 2)}\n`);
    }
  }
  await cleanup.run();
  console.log(tableOf(lines));
  if (profileFolder !== undefined) console.log(await summariseProfiles(profileFolder));
  const faulty = lines.filter(hasFaults);
  if (faulty.length > 0)
    console.error(`\nSomething was lost, doubled or reordered in: ${faulty.map((line) => line.scenario).join(', ')}`);
  return faulty.length > 0 ? 1 : 0;
}

function backendsFor(wanted: string | undefined): Backend['name'][] {
  if (wanted !== undefined && wanted !== 'postgres' && wanted !== 'redis') {
    throw new Error(`There is no backend ${wanted}: postgres or redis`);
  }
  if (wanted === 'redis' && !hasRedis) throw new Error('redis-server is not installed');
  if (wanted !== undefined) return [wanted];
  if (!hasRedis) process.stderr.write('redis-server is not installed: the lines for Redis are left out\n');
  return hasRedis ? ['postgres', 'redis'] : ['postgres'];
}

function stop(code: number): void {
  // A second signal means: now.
  if (isStopping) process.exit(code);
  isStopping = true;
  process.stderr.write('\nStopping what was started …\n');
  void cleanup.run().then(() => process.exit(code));
}
