import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../bench/setup/free-port.js';

export interface FrameworkAdapter {
  readonly url: string;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('price-adapter.mjs', import.meta.url));

/** An adapter on the framework of Chainlink, in a process of its own, without Redis. */
export async function startFrameworkAdapter(providerUrl: string): Promise<FrameworkAdapter> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--no-warnings', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      EA_HOST: '127.0.0.1',
      EA_PORT: String(port),
      METRICS_ENABLED: 'false',
      CACHE_TYPE: 'local',
      LOG_LEVEL: 'fatal',
      PROVIDER_URL: providerUrl,
    },
  });
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!said.includes('listening\n')) {
    const event = await Promise.race([once(child.stdout, 'data'), exited.then(() => 'exited')]);
    if (event === 'exited') throw new Error(`The adapter did not start: ${said}`);
  }
  return {
    url: `http://127.0.0.1:${port}/`,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
