import { Faults } from '../../sandbox/faults.js';
import { ReceivedLog, type Received } from '../../sandbox/received.js';
import { createSandboxServer, listen } from '../../sandbox/server.js';
import type { StandIn } from '../../sandbox/stand-in.js';

export interface StandInServer {
  readonly url: string;
  readonly faults: Faults;
  requests(): readonly Received[];
  stop(): Promise<void>;
}

/** One stand-in of the sandbox on a free port. */
export async function startStandIn(standIn: StandIn): Promise<StandInServer> {
  const faults = new Faults();
  const received = new ReceivedLog();
  const server = createSandboxServer({ standIns: [standIn], routes: [], faults, received });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}/${standIn.name}`,
    faults,
    requests: () => received.list(),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
