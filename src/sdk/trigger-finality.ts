import type { Fault } from './error.js';

/** How far what a trigger hears is settled: on a chain the newest blocks may still be replaced by others. */
export interface TriggerFinality<Client = unknown> {
  /**
   * Input that says how much has to be settled. Where a flow that moves value leaves it out, `listen` is told so with
   * `movesValue`, and waits until nothing can be taken back. Absent: there is nothing to wait for.
   */
  readonly input?: string;
  /** Why less than that is asked for by inputs as written, where what a template will give is `undefined`. */
  shortfall(input: Readonly<Record<string, unknown>>): Fault | undefined;
  /** The same of the connection, whose word counts where the input is left out; without asking the other side. */
  shortfallOf?(client: Client): Promise<Fault | undefined> | Fault | undefined;
}
