import { createLog, loadConfig, type Log } from '#platform';
import { builtInConnectors } from '../connectors/index.js';
import { installedConnectors } from './installed-connectors.js';
import { startHub, type Hub } from './hub.js';

/** One hub process, from an environment. `afterStop`: what has to outlive the hub, e.g. the sandbox it calls. */
export async function main(
  env: Readonly<Record<string, string | undefined>>,
  afterStop: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Hub> {
  const config = loadConfig(env);
  const log = createLog(config.log);
  const connectors = [...builtInConnectors, ...(await installedConnectors(config.flows.configurationFile))];
  const hub = await startHub({ config, log, connectors, env });
  stopOnSignals(hub, log, afterStop);
  log.info('The hub is ready', { url: hub.url, roles: config.roles });
  return hub;
}

function stopOnSignals(hub: Hub, log: Log, afterStop: () => Promise<unknown>): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal means: now.
    if (isStopping) process.exit(130);
    isStopping = true;
    log.info('The hub is being stopped', { signal });
    void hub
      .stop()
      .then(afterStop)
      .then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const fail = (error: unknown): void => {
    log.error('The hub met something it cannot go on from', { error });
    // In an unknown state nothing more may be sent or acknowledged; another process takes the work over.
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}
